"""The application that the groups of commands are added to."""

import typer

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,  # its Markdown machinery would double the time that --help takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog="Start with make demo, or with your own table: python run.py new --data my.csv --target label",
)
