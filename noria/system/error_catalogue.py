"""Every error code with its cause and its cure; docs/errors.md is rendered from this table."""

from typing import NamedTuple


class ErrorEntry(NamedTuple):
    """What a code means: one cause, and one cure."""

    cause: str
    cure: str


AREAS = {
    "batch": "Predictions for whole files (`noria/batch`, `python run.py predict`).",
    "bundle": "The model bundle: the sealed folder that holds a model (`noria/bundle`).",
    "cases": "Labelled predictions to learn from (`noria/labelled_cases`).",
    "cli": "The command line (`cli/`, `app/commands`).",
    "client": "The Python client of a service (`noria.client`).",
    "cluster": "Kubernetes clusters, and the tools that talk to them.",
    "config": "The use-case file, and other YAML files (`noria/config`).",
    "data": "Sources, the table, its validation and its split (`noria/data`).",
    "deployment": "Putting a model into service and keeping the server running (`noria/deployment`, `app/serving`).",
    "engine": "`engine: ray`, training and prediction on many machines (`noria/engines`).",
    "evaluation": "Metrics, and the comparison of models (`noria/evaluation`, `noria/metrics`).",
    "history": "Features that are counted from earlier cases (`noria/history`, `features.history`).",
    "image": "Container images (`app/images`).",
    "labelling": "Labels that people are asked for, and their answers (`noria/labelling`, `python run.py label`).",
    "loop": "Watching, deciding and acting (`noria/loop`, `app/loop`, `python run.py watch`).",
    "models": "Candidates and fitted models (`noria/models`).",
    "monitoring": "Drift, quality and alerts (`noria/monitoring`).",
    "pipelines": "Runs of pipelines (`pipelines/`, `steps/`, `app/runs`).",
    "platform": "The servers that Docker Compose starts, and the dashboards (`app/servers`).",
    "predictions": "The prediction store, labels, privacy and erasure (`noria/predictions`).",
    "profiling": "Proposals for a use case from a table (`noria/profiling`, `python run.py new`).",
    "registry": "Model versions and their artifacts (`steps/shared`).",
    "replay": "Asking a deployed service about a past period (`python run.py replay`).",
    "request": "Requests that the service refuses; these codes are in the answer of the service (`docs/serving.md`).",
    "rules": "Written rules and their conditions (`noria/models`, `noria/schema`).",
    "schema": "The inputs of a model (`noria/schema`).",
    "service": "The running service (`service/`).",
    "spool": "The spool between the service and the prediction store (`docs/spool.md`).",
    "stack": "Stacks: where pipelines run and services are deployed (`app/stacks`).",
    "traffic": "Champion, challengers, canaries and shares (`noria/traffic`).",
    "training": "Training and the choice of a model (`noria/training`).",
    "workspace": "The files that Noria writes (`noria/system`).",
}
"""Area, the part of a code before its dot → what it is about."""

ERRORS = {
    "batch.folder_empty": ErrorEntry(
        "The input folder or glob matches no Parquet file.",
        "Name a folder with files that end in `.parquet`.",
    ),
    "batch.folder_needs_ray": ErrorEntry(
        "The target is a folder, but only `engine: ray` writes folders.",
        "Name a target file that ends in `.csv` or `.parquet`, or set `engine: ray` in the use case.",
    ),
    "batch.glob_in_folder": ErrorEntry(
        "A `*` stands in the folder part of the input path.",
        "Use `*` in the file name only, and name one folder.",
    ),
    "batch.history_not_distributed": ErrorEntry(
        "The model has features that are computed from earlier cases, and the engine is Ray.",
        "Predict the file without `engine: ray`.",
    ),
    "batch.places_equal": ErrorEntry(
        "Input, target and quarantine are not three different files.",
        "Choose another file for one of them.",
    ),
    "batch.schemas_differ": ErrorEntry(
        "A file in the input folder has other columns or column types than the first file.",
        "Rewrite that file with the same columns, or remove it from the folder.",
    ),
    "batch.target_format_unknown": ErrorEntry(
        "The ending of the target file is neither that of a CSV file nor that of a Parquet file.",
        "Let the target name end in `.csv` or `.parquet`.",
    ),
    "batch.target_remote": ErrorEntry(
        "The target is a URL, but a single file is only written to the local machine.",
        "Name a local file; with `engine: ray`, let the URL end in `/` to write a folder.",
    ),
    "batch.target_taken": ErrorEntry(
        "The target folder already holds files.",
        "Choose a new folder, or empty that one.",
    ),
    "batch.target_unwritable": ErrorEntry(
        "The target cannot be written.",
        "Free some space, or choose a place to which this user, and with Ray every machine of the cluster, can write.",
    ),
    "bundle.checksum_mismatch": ErrorEntry(
        "A file of the model bundle was changed or cut short after the bundle was sealed.",
        "Fetch the bundle again, or train again.",
    ),
    "bundle.fast_form_missing": ErrorEntry(
        "The model has no fast form, and the image lacks the libraries for its full form.",
        "Train again with this version of Noria; if there is still no fast form, deploy with `--stack local`.",
    ),
    "bundle.fast_form_unreadable": ErrorEntry(
        "The fast form of the model cannot be read.",
        "Fetch the bundle again, or train again.",
    ),
    "bundle.format_unknown": ErrorEntry(
        "The bundle was written in a format that this version of Noria does not read.",
        "Train again, or use the version of Noria that wrote the bundle.",
    ),
    "bundle.incomplete": ErrorEntry(
        "Files of the model bundle are missing, or there are files that do not belong to it.",
        "Fetch the bundle again, or train again.",
    ),
    "bundle.library_missing": ErrorEntry(
        "A library for the full form of the model is not installed.",
        "Install Noria with its extra `models`, or use `Bundle.ask`, which needs only the fast form.",
    ),
    "bundle.library_version_differs": ErrorEntry(
        "The bundle was written with another version of a library that it depends on.",
        "Install the version that the message names, or train again.",
    ),
    "bundle.manifest_invalid": ErrorEntry(
        "The manifest of the model bundle does not have the expected fields.",
        "Fetch the bundle again, or train again.",
    ),
    "bundle.not_copied": ErrorEntry(
        "The bundle could not be copied into the workspace.",
        "Free some disk space, and deploy again.",
    ),
    "bundle.not_found": ErrorEntry(
        "There is no model bundle in that folder.",
        "Train first, or name the folder of the bundle.",
    ),
    "bundle.target_taken": ErrorEntry(
        "The folder for the new bundle already holds something else.",
        "Name another folder.",
    ),
    "bundle.unreadable": ErrorEntry(
        "The operating system refuses to read a file of the bundle.",
        "Check the permissions of the file and the disk, or fetch the bundle again.",
    ),
    "bundle.unwritable": ErrorEntry(
        "The model bundle cannot be written.",
        "Choose a folder that you may write to and that has space left.",
    ),
    "cases.store_missing": ErrorEntry(
        "The prediction store that a source of labelled cases names does not exist.",
        "Correct `url` or `use_case` of that source.",
    ),
    "cases.store_unreachable": ErrorEntry(
        "A step finds no labelled cases where the run was started with some: it looks at another place.",
        "Keep predictions in a database that steps can reach: `NORIA_PREDICTIONS_URL`, or `url` of the source.",
    ),
    "cli.demo_needs_local_stack": ErrorEntry(
        "The demo serves on this machine, but the selected stack serves elsewhere.",
        "Run `python run.py demo --stack local`.",
    ),
    "cli.import_missing": ErrorEntry(
        "`--resolve` or `--by` is given without a file of answers.",
        "Name the file with `--import FILE`.",
    ),
    "cli.not_confirmed": ErrorEntry(
        "The command asked for confirmation and did not get it.",
        "Answer `y`, or add `--yes`.",
    ),
    "cli.now_invalid": ErrorEntry(
        "The value of `--now` is not a time.",
        "Write it in ISO 8601, such as 2013-03-01 or 2013-03-01T12:00:00+01:00.",
    ),
    "cli.output_missing": ErrorEntry(
        "No output file was named, and none can be derived from the input.",
        "Add `--output NAME.parquet`.",
    ),
    "cli.output_taken": ErrorEntry(
        "The output file already exists.",
        "Name another `--output`, or add `--force`.",
    ),
    "cli.url_not_needed": ErrorEntry(
        "`--url` was given for a service whose address the workspace knows.",
        "Leave `--url` out, or name the stack of the service with `--stack`.",
    ),
    "client.not_noria": ErrorEntry(
        "Something other than a Noria service answers at that address.",
        "Check host and port.",
    ),
    "client.refused": ErrorEntry(
        "The service refused the request without a code of its own.",
        "Follow the reason in the message; a proxy in front of the service may have answered.",
    ),
    "client.rows_not_json": ErrorEntry(
        "The rows hold values that JSON cannot represent, such as infinity or NaN.",
        "Send `None` for missing values.",
    ),
    "client.unreachable": ErrorEntry(
        "The service cannot be reached.",
        "Check with `python run.py status` that it runs, and check host and port.",
    ),
    "cluster.command_failed": ErrorEntry(
        "`kubectl` or `helm` failed.",
        "Correct what the message says; it shows the whole command.",
    ),
    "cluster.context_differs": ErrorEntry(
        "The Kubernetes context points to another cluster than the one the stack was registered for.",
        "Set `KUBECONFIG` to the file of the right cluster; if the cluster has moved, run `python run.py "
        "stack up NAME`.",
    ),
    "cluster.kubeconfig_unreadable": ErrorEntry(
        "The kubeconfig file cannot be read.",
        "Set `KUBECONFIG` to a valid kubeconfig file.",
    ),
    "cluster.release_failed": ErrorEntry(
        "Helm could not update the release of the service.",
        "Look at the pods with the command in the message; the release must already exist, see `docs/kubernetes.md`.",
    ),
    "cluster.run_refused": ErrorEntry(
        "The cluster did not accept the job of a run.",
        "Run `python run.py stack check NAME`.",
    ),
    "cluster.setting_missing": ErrorEntry(
        "The stack does not say which cluster or registry the service goes to.",
        "Name the cluster in the orchestrator and its registry in the container registry of the stack.",
    ),
    "cluster.tool_missing": ErrorEntry(
        "`kubectl` or `helm` is not installed.",
        "Install the tool that the message names.",
    ),
    "config.file_not_found": ErrorEntry(
        "The use-case file does not exist.",
        "Check the path given with `--config`.",
    ),
    "config.file_unreadable": ErrorEntry(
        "The file exists, but cannot be read.",
        "Give yourself read access.",
    ),
    "config.invalid": ErrorEntry(
        "One or more keys are unknown, missing or have a value that is not allowed.",
        "Correct the keys that the message names; it lists all of them at once.",
    ),
    "config.key_given_twice": ErrorEntry(
        "A key stands there under its old and its new name.",
        "Remove the old one.",
    ),
    "config.migration_unsupported": ErrorEntry(
        "A key that should be renamed is written in a way that cannot be rewritten, such as through an alias.",
        "Rename it by hand.",
    ),
    "config.nested_too_deeply": ErrorEntry(
        "Lists or mappings are nested too deeply for a use-case file.",
        "Start from `configs/telco_churn.yaml`.",
    ),
    "config.no_mapping": ErrorEntry(
        "The file holds no mapping of sections.",
        "Start from `configs/telco_churn.yaml`.",
    ),
    "config.not_text": ErrorEntry(
        "The file is not UTF-8 text.",
        "Save it as UTF-8 YAML.",
    ),
    "config.too_large": ErrorEntry(
        "The file is larger than 1 MB, so it cannot be a use-case file.",
        "Name another file with `--config`.",
    ),
    "config.variable_unset": ErrorEntry(
        "A file refers to an environment variable that is not set.",
        "Set the variable, for example with `export NAME=…`.",
    ),
    "config.yaml_invalid": ErrorEntry(
        "The file is not valid YAML.",
        "Correct the line that the message names.",
    ),
    "data.class_too_rare": ErrorEntry(
        "A class of the target has too few rows for the folds and the test set.",
        "Provide more rows of that class, lower `models.folds`, or exclude the class with `allowed`.",
    ),
    "data.class_unknown": ErrorEntry(
        "`problem.worth` names a class that the target does not have.",
        "Use one of the classes that the message lists.",
    ),
    "data.column_duplicated": ErrorEntry(
        "Two columns have the same name.",
        "Give every column a name of its own.",
    ),
    "data.column_missing": ErrorEntry(
        "The table lacks a column that the use case or the command names.",
        "Correct the name, or set the right separator; the message suggests a similar name if there is one.",
    ),
    "data.column_name_invalid": ErrorEntry(
        "A column's name is longer than 256 characters, or holds a line break or another control character.",
        "Rename the column: correct the header line, or name it with `AS` in a query. All other characters are fine.",
    ),
    "data.column_too_sparse": ErrorEntry(
        "A column has more missing values than `max_missing` allows.",
        "Correct the data, or raise `max_missing`.",
    ),
    "data.columns_too_many": ErrorEntry(
        "The table has more than 10,000 columns.",
        "Keep the columns that are known when a prediction is needed, or summarize those that repeat a measurement.",
    ),
    "data.csv_invalid": ErrorEntry(
        "Rows of the CSV file do not have as many fields as the header.",
        "Correct those rows, quote values that hold the separator, or set the right separator.",
    ),
    "data.cutoff_not_comparable": ErrorEntry(
        "`split.cutoff` is a date, but the time column holds numbers.",
        "Use `split.test_share`, or a date column as `data.time`.",
    ),
    "data.database_unreachable": ErrorEntry(
        "The database cannot be reached.",
        "Check the URL, the network and the credentials.",
    ),
    "data.driver_missing": ErrorEntry(
        "The package for this kind of database or URL is not installed.",
        "Install the package that the message names.",
    ),
    "data.encoding_invalid": ErrorEntry(
        "The file is not UTF-8 text.",
        "Convert it, for example with `iconv -f WINDOWS-1252 -t UTF-8 old.csv > new.csv`.",
    ),
    "data.file_empty": ErrorEntry(
        "The CSV file is empty.",
        "Provide a file with a header line and rows.",
    ),
    "data.file_forbidden": ErrorEntry(
        "The file may not be read.",
        "Give yourself read access, or check the credentials in the environment.",
    ),
    "data.file_is_folder": ErrorEntry(
        "The path is a folder, not a file.",
        "Name one CSV or Parquet file.",
    ),
    "data.file_not_found": ErrorEntry(
        "The file does not exist, or the host of its URL cannot be reached.",
        "Check the path or URL; relative paths start at the project folder.",
    ),
    "data.file_unreadable": ErrorEntry(
        "The file or folder cannot be opened or read.",
        "Check the path, the file and, for a URL, its host.",
    ),
    "data.folds_too_many": ErrorEntry(
        "There are too few training rows, or too few different times, for the number of folds.",
        "Lower `models.folds`, or provide more rows.",
    ),
    "data.format_mismatch": ErrorEntry(
        "The content of the file is not in the expected format, for example a spreadsheet named `.csv`.",
        "Save the table as CSV in UTF-8 or as Parquet, or state the right `format`.",
    ),
    "data.format_unknown": ErrorEntry(
        "The file name does not tell whether the file is CSV or Parquet.",
        "Set `format: csv` or `format: parquet` for the source.",
    ),
    "data.header_invalid": ErrorEntry(
        "The header line of the CSV file cannot be divided into fields.",
        "Correct the header line.",
    ),
    "data.join_columns_clash": ErrorEntry(
        "Both sides of a join have a column of the same name that is not a key.",
        "Rename or leave out the column on one side.",
    ),
    "data.join_key_missing": ErrorEntry(
        "A source lacks a key column of its join.",
        "Correct the name under `on`.",
    ),
    "data.join_key_repeated": ErrorEntry(
        "A joined source has several rows per key, so the join would duplicate rows.",
        "Keep one row per key, join on more columns, or allow it with `many_to_one: false`.",
    ),
    "data.join_keys_differ": ErrorEntry(
        "The key columns of a join have types that cannot be compared.",
        "Give the key columns the same type on both sides.",
    ),
    "data.limits_not_numeric": ErrorEntry(
        "`min` or `max` is set for a column that is not declared as a number.",
        "Remove the limits, or declare `type: number`.",
    ),
    "data.parquet_invalid": ErrorEntry(
        "The file is not a readable Parquet file.",
        "Write the file again as Parquet, or set `format: csv` if it is text.",
    ),
    "data.period_empty": ErrorEntry(
        "No row's `data.time` lies in the period from `data.since` to `data.until`.",
        "Move `data.since` or `data.until`; the message says from when to when the rows go.",
    ),
    "data.period_not_comparable": ErrorEntry(
        "`data.since` and `data.until` are moments, but `data.time` holds no dates.",
        "Declare the type `datetime` for the column in `data.expectations.columns`, or name a column of dates.",
    ),
    "data.positive_class_missing": ErrorEntry(
        "The target never has the value of `problem.positive`.",
        "Correct `problem.positive`, or provide rows of that class.",
    ),
    "data.quarantine_too_large": ErrorEntry(
        "More rows break an expectation than `max_quarantined` allows.",
        "Correct the data or the expectation, or raise `data.expectations.max_quarantined`.",
    ),
    "data.query_failed": ErrorEntry(
        "The database rejects the query, or it would do more than read.",
        "Correct the query as the message says: one statement that begins with SELECT or WITH.",
    ),
    "data.quote_unclosed": ErrorEntry(
        "A quotation mark in the CSV file is never closed.",
        "Close the quotation mark in the row that the message names.",
    ),
    "data.rows_too_few": ErrorEntry(
        "The table has fewer than two rows.",
        "Provide more rows.",
    ),
    "data.split_class_missing": ErrorEntry(
        "A class of the target is missing from one side of the split or of a fold.",
        "Change `split.test_share` or `split.cutoff`, lower `models.folds`, or provide more rows.",
    ),
    "data.split_impossible": ErrorEntry(
        "The table cannot be divided with these settings.",
        "Provide more rows or groups, or change `split.test_share`.",
    ),
    "data.split_side_empty": ErrorEntry(
        "One side of the split or of a fold has no rows.",
        "Change `split.test_share` or `split.cutoff`, lower `models.folds`, or provide more rows.",
    ),
    "data.table_empty": ErrorEntry(
        "The table or file has no rows.",
        "Provide rows, or correct the source or its query.",
    ),
    "data.target_constant": ErrorEntry(
        "The target has the same value in all rows, so there is nothing to learn.",
        "Provide rows with other outcomes, or name another target.",
    ),
    "data.target_empty": ErrorEntry(
        "The target column has no values.",
        "Check the source, or name another target.",
    ),
    "data.target_not_binary": ErrorEntry(
        "A binary problem needs two target values, but the column has another number of them.",
        "Set `problem.task: multiclass` or `regression`, or name another target.",
    ),
    "data.target_not_numeric": ErrorEntry(
        "The target of a regression holds values that are not numbers.",
        "Correct those values, or set another `problem.task`.",
    ),
    "data.time_constant": ErrorEntry(
        "All rows have the same time, so they cannot be split by time.",
        "Use another column as `data.time`, or set `split.method: stratified`.",
    ),
    "data.time_not_ordered": ErrorEntry(
        "The time column holds neither dates nor numbers.",
        "Declare the column as `type: datetime` in `data.expectations.columns`.",
    ),
    "data.url_invalid": ErrorEntry(
        "The text is not a SQLAlchemy URL.",
        "Write it like `sqlite:///data/my.db` or `postgresql+psycopg://user:${env:DB_PASSWORD}@host/database`.",
    ),
    "data.values_missing": ErrorEntry(
        "The target, time or group column has missing values.",
        "Validate the table first, or remove those rows.",
    ),
    "data.window_time_not_date": ErrorEntry(
        "`data.window` counts days, and `data.time` holds no dates.",
        "Declare the column as `datetime` in `data.expectations.columns`, or write `window: all`.",
    ),
    "data.window_too_short": ErrorEntry(
        "`data.window` leaves too few rows to learn from, each counted by its weight.",
        "Give a longer window, or `auto`, which chooses one.",
    ),
    "deployment.address_unknown": ErrorEntry(
        "The address of the service is not known.",
        "Name it with `--url`, or as `noria.url` in the file of the stack.",
    ),
    "deployment.bento_not_built": ErrorEntry(
        "BentoML could not build the Bento.",
        "Correct what the message says, and deploy again.",
    ),
    "deployment.bento_unwritable": ErrorEntry(
        "The Bento cannot be written.",
        "Free some disk space.",
    ),
    "deployment.bundle_refused": ErrorEntry(
        "A worker of the server cannot load the model bundle.",
        "Correct what the message says, and deploy again.",
    ),
    "deployment.docker_missing": ErrorEntry(
        "The command `docker` is not installed.",
        "Install Docker, and start it.",
    ),
    "deployment.docker_unresponsive": ErrorEntry(
        "The Docker engine does not answer.",
        "Restart the Docker engine.",
    ),
    "deployment.host_unknown": ErrorEntry(
        "The name in `serving.host` cannot be resolved.",
        "Use an address such as `127.0.0.1`.",
    ),
    "deployment.image_missing": ErrorEntry(
        "The Docker engine does not have the image of the service.",
        "Build it with `make images`.",
    ),
    "deployment.log_unwritable": ErrorEntry(
        "The log of the server cannot be written.",
        "Release or unlock the path that the message names.",
    ),
    "deployment.network_failed": ErrorEntry(
        "Docker could not create the network for the service.",
        "Correct what Docker says in the message.",
    ),
    "deployment.not_changeable": ErrorEntry(
        "This deployment cannot be changed while it runs.",
        "Promote or train the model that should answer, then run `python run.py deploy`; `python run.py "
        "rollback` goes back.",
    ),
    "deployment.not_deployed": ErrorEntry(
        "No service is deployed there.",
        "Run `python run.py deploy`.",
    ),
    "deployment.not_ready": ErrorEntry(
        "The server was not ready in time.",
        "Read the log of the server, or raise `serving.start_timeout_s`.",
    ),
    "deployment.not_running": ErrorEntry(
        "No service of this use case runs on this machine.",
        "Start it with `python run.py deploy`, or name the `--stack` of a service that runs elsewhere.",
    ),
    "deployment.nothing_to_roll_back": ErrorEntry(
        "There is no earlier state to go back to.",
        "Name the version or image that should answer.",
    ),
    "deployment.port_taken": ErrorEntry(
        "Another process uses the port of the server.",
        "Stop that process, or choose another `serving.port`.",
    ),
    "deployment.process_not_ended": ErrorEntry(
        "A process does not end, even when it is killed.",
        "End it by hand, as its owner or as root.",
    ),
    "deployment.server_died": ErrorEntry(
        "The server stopped shortly after it was started.",
        "Read the log of the server, correct the cause, and deploy again.",
    ),
    "deployment.smoke_test_failed": ErrorEntry(
        "The new service did not give the expected answers to test requests.",
        "Read the log of the server, and deploy again.",
    ),
    "deployment.start_failed": ErrorEntry(
        "The server cannot start, for a reason that has no code of its own.",
        "Correct what the message says, and deploy again.",
    ),
    "deployment.state_unreadable": ErrorEntry(
        "The file that says what is deployed cannot be read.",
        "Release or unlock the path that the message names.",
    ),
    "deployment.state_unwritable": ErrorEntry(
        "The container cannot keep changes that are made while it runs.",
        "Let the user of the container own the volume.",
    ),
    "deployment.tokens_missing": ErrorEntry(
        "The service would be reachable from other machines without tokens.",
        "Set the tokens that the message names, or set `serving.host` to `127.0.0.1`.",
    ),
    "deployment.version_disqualified": ErrorEntry(
        "The use case has changed since this model version was made: the model uses a column that none may see now, or "
        "the target, task, positive class, split or worth is another one.",
        "Train again and deploy what passes the gate, or undo the change of the use case.",
    ),
    "engine.cluster_unreachable": ErrorEntry(
        "The Ray cluster cannot be used from here.",
        "Run this on a machine of the cluster, where `ray status` answers; see `docs/scaling.md`.",
    ),
    "engine.cores_too_few": ErrorEntry(
        "The workers ask for more cores than this machine has.",
        "Lower `engine.workers` or `engine.cores`, or name a cluster in `engine.address`.",
    ),
    "engine.ray_missing": ErrorEntry(
        "`engine: ray` is set, but Ray is not installed.",
        "Install the packages of `requirements-ray.lock`, or remove `engine` from the use case.",
    ),
    "engine.storage_unusable": ErrorEntry(
        "The shared storage of the Ray cluster cannot be used.",
        "Free some space there, or name another `engine.storage`.",
    ),
    "engine.versions_differ": ErrorEntry(
        "A machine of the Ray cluster has another version of a library.",
        "Let every machine of the cluster run the same image; see `docs/scaling.md`.",
    ),
    "engine.work_lost": ErrorEntry(
        "The Ray cluster lost a machine or a task, and could not repeat the work.",
        "Look at `ray status`.",
    ),
    "evaluation.lengths_differ": ErrorEntry(
        "True values, scores and decisions do not have the same length.",
        "Provide one of each per row.",
    ),
    "evaluation.mean_out_of_bounds": ErrorEntry(
        "A mean to be tested is not between the bounds of the values.",
        "Give a mean above the lower and below the upper bound.",
    ),
    "evaluation.metric_undefined": ErrorEntry(
        "The metric is undefined on the rows it is computed from, for example because a class is missing.",
        "Provide rows of every class, lower `models.folds`, or choose another metric.",
    ),
    "evaluation.rows_unanswered": ErrorEntry(
        "The model can answer none of the test rows.",
        "Check the test rows; the message shows why the first one was refused.",
    ),
    "evaluation.shape_mismatch": ErrorEntry(
        "The scores do not have one column per class.",
        "Provide one column of scores per class.",
    ),
    "evaluation.value_out_of_bounds": ErrorEntry(
        "A value is missing, or lies outside the bounds that were given for it.",
        "Give bounds that hold for every value, or clip the values.",
    ),
    "history.name_taken": ErrorEntry(
        "The table has a column with the name of a feature of `features.history`.",
        "Give the feature another name, or leave the column out of the source.",
    ),
    "history.seed_unreadable": ErrorEntry(
        "The bundle's earlier cases, which its history features start from, are damaged.",
        "Fetch the bundle again, or train again.",
    ),
    "history.time_not_date": ErrorEntry(
        "`data.time` holds no dates, and history features count by time.",
        "Declare the type `datetime` for the column in `data.expectations.columns`, or name a column of dates.",
    ),
    "image.docker_failed": ErrorEntry(
        "A `docker` command failed.",
        "Read its output above the error.",
    ),
    "labelling.answers_refused": ErrorEntry(
        "No answer in the file belongs to a prediction of this use case, or none is a label of the model.",
        "Fill in the table that `python run.py label` has written, and leave its identifiers as they are.",
    ),
    "labelling.budget_invalid": ErrorEntry(
        "The budget of labels is below 1.",
        "Give a budget of at least 1.",
    ),
    "labelling.column_missing": ErrorEntry(
        "The file with answers has no column `prediction_id`, or none of the target.",
        "Fill in the target's column of the table that `python run.py label` has written.",
    ),
    "labelling.export_unreadable": ErrorEntry(
        "The JSON file is no export of Label Studio with the tasks that `python run.py label` has written.",
        "Export the project from Label Studio as JSON or JSON-MIN.",
    ),
    "labelling.labels_to_come": ErrorEntry(
        "Every prediction without a label is younger than `problem.label_delay_days`, so its label is still to come.",
        "Wait for the labels, or ask now with `--young`.",
    ),
    "labelling.nothing_to_ask": ErrorEntry(
        "There is no prediction without a label.",
        "Wait until there are predictions whose label is not known.",
    ),
    "labelling.record_unreadable": ErrorEntry(
        "The record of the cases that people were asked for has been changed and cannot be read.",
        "Restore `labels/asked.csv`, or move it away: its cases then count as if their labels had come by themselves.",
    ),
    "loop.alert_address_invalid": ErrorEntry(
        "An address in `loop.alert.urls` is no URL.",
        "Write https://… for a webhook, or an address of Apprise.",
    ),
    "loop.alert_refused": ErrorEntry(
        "A message of the loop was not taken by its address; it is sent again at the next look.",
        "Check the address and its secret in `loop.alert.urls`.",
    ),
    "loop.apprise_missing": ErrorEntry(
        "An address in `loop.alert.urls` needs Apprise, which is not installed.",
        "Install the packages of `requirements-alerts.lock` (the extra `alerts`), or name a webhook (https://…).",
    ),
    "loop.history": ErrorEntry(
        "What models brought in by period, and the counts of cases and labels, do not fit together.",
        "Give a square matrix of worth per case, one count of cases per period, and one count of known labels more.",
    ),
    "loop.horizon": ErrorEntry(
        "The periods for which the gain of a retraining is to be counted are fewer than none.",
        "Give 0 periods to come or more.",
    ),
    "loop.interval_invalid": ErrorEntry(
        "The time between two looks cannot be read.",
        "Write it as 30m, 1h or 1d.",
    ),
    "loop.journal_unwritable": ErrorEntry(
        "The journal of the loop cannot be written.",
        "Free some space, or unlock that file; `watch` then goes on where it stopped.",
    ),
    "loop.matrix": ErrorEntry(
        "The worth of models by period is not a square matrix, or lacks a value.",
        "Give what each model brings in, in each period from its own on.",
    ),
    "loop.nothing_deployed": ErrorEntry(
        "`watch` was started before the first deployment.",
        "Start the service first: `python run.py deploy`.",
    ),
    "loop.price": ErrorEntry(
        "The price of a retraining is negative or no number.",
        "Give a price of 0 or more, in `problem.unit`.",
    ),
    "loop.rollback_without_effect": ErrorEntry(
        "A rollback of the loop left the same version in service.",
        "Name the version that should answer: `python run.py promote --version N`.",
    ),
    "models.file_missing": ErrorEntry(
        "A file of the stored model is missing.",
        "Fetch the bundle again, or train again.",
    ),
    "models.file_unreadable": ErrorEntry(
        "A file of the stored model cannot be read.",
        "Fetch the bundle again, or train again.",
    ),
    "models.fit_failed": ErrorEntry(
        "A candidate cannot be fitted with its parameters.",
        "Correct `params` or `search` of that candidate.",
    ),
    "models.parameter_unknown": ErrorEntry(
        "A candidate has no parameter of that name.",
        "Use one of the parameters that the message suggests.",
    ),
    "models.tree_broken": ErrorEntry(
        "The stored model holds a decision tree that is not valid.",
        "Fetch the bundle again, or train again.",
    ),
    "models.type_untrusted": ErrorEntry(
        "The stored model holds types that Noria does not load.",
        "Use a bundle that Noria wrote.",
    ),
    "monitoring.figure_column_missing": ErrorEntry(
        "The column of `problem.business_figure` is neither an input of the model nor in the label file.",
        "Correct its name, or add the column to the label file.",
    ),
    "monitoring.figure_query_invalid": ErrorEntry(
        "The query of `problem.business_figure` does not return a date and a number for each day.",
        "Select two columns, and group by the first one.",
    ),
    "monitoring.figure_values_invalid": ErrorEntry(
        "The column of `problem.business_figure` holds other values than `of` needs.",
        "Use a column of numbers; for a share, say with `value` which value counts.",
    ),
    "monitoring.history_unwritable": ErrorEntry(
        "The history of verdicts cannot be written.",
        "Free some space, or unlock that file.",
    ),
    "monitoring.label_column_missing": ErrorEntry(
        "The file with labels lacks the target column, or was read with another separator than it has.",
        "Add the column, or correct its name; write the file in the dialect of the use case (`docs/labels.md`).",
    ),
    "monitoring.label_key_missing": ErrorEntry(
        "The file with labels has no column that says which prediction a label belongs to.",
        "Add the column that the message names.",
    ),
    "monitoring.report_unwritable": ErrorEntry(
        "The monitoring report cannot be written.",
        "Free some space, or unlock that folder.",
    ),
    "pipelines.interval_not_schedulable": ErrorEntry(
        "`--every` names an interval that no cron expression has.",
        "Take one that divides an hour or a day, such as 15m, 1h or 6h, or 1d or 7d.",
    ),
    "pipelines.now_not_schedulable": ErrorEntry(
        "`monitor` was given `--every` and `--now`: a schedule looks at the present.",
        "Leave out one of the two.",
    ),
    "pipelines.path_not_schedulable": ErrorEntry(
        "`--labels` names a path of this machine, which scheduled runs elsewhere cannot read.",
        "Name a URL, such as s3://… or https://….",
    ),
    "pipelines.pod_failed": ErrorEntry(
        "A pod of the run failed, or waits for something in vain.",
        "Follow the advice in the message, which depends on the reason that Kubernetes gives.",
    ),
    "pipelines.run_failed": ErrorEntry(
        "A run did not complete, and no step reported an error of Noria's.",
        "Read the log of the step in the dashboard: `python run.py dashboard`.",
    ),
    "pipelines.schedules_unsupported": ErrorEntry(
        "The orchestrator of the stack knows no schedules.",
        "Take a stack whose orchestrator does, or let `python run.py watch` run, or cron start it with `--once`.",
    ),
    "platform.address_unknown": ErrorEntry(
        "Docker does not tell the address at which containers reach this machine.",
        "Write `BIND=ADDRESS` into the settings file that the message names.",
    ),
    "platform.compose_failed": ErrorEntry(
        "Docker Compose failed.",
        "Read its output above the error.",
    ),
    "platform.compose_missing": ErrorEntry(
        "Docker Compose is not installed.",
        "Install Docker with Compose.",
    ),
    "platform.dashboard_failed": ErrorEntry(
        "A dashboard did not start.",
        "Read its log, whose path the message names.",
    ),
    "platform.image_missing": ErrorEntry(
        "No image of the service was named.",
        "Run `make image`, and name the image with `--image`.",
    ),
    "platform.missing": ErrorEntry(
        "No platform was started on this machine.",
        "Run `make platform`.",
    ),
    "platform.not_ready": ErrorEntry(
        "A container of the platform did not become ready in time.",
        "Read its log: `docker ps`, then `docker logs NAME`.",
    ),
    "platform.password_missing": ErrorEntry(
        "The password of the administrator is not set, or is too short.",
        "Set it as the message shows, and keep it secret.",
    ),
    "platform.password_refused": ErrorEntry(
        "The server refuses the password of its administrator.",
        "Use the password that the server was first set up with.",
    ),
    "platform.port_taken": ErrorEntry(
        "Another process uses the port of a dashboard.",
        "Stop that process, and run the command again.",
    ),
    "platform.value_not_portable": ErrorEntry(
        "A value for a file of variables holds a quote, a backslash or a line break.",
        "Choose a value without these characters.",
    ),
    "platform.zenml_failed": ErrorEntry(
        "The ZenML server answered with an error.",
        "Read the log of the server.",
    ),
    "platform.zenml_unreachable": ErrorEntry(
        "No ZenML server answers at that address.",
        "Check the address, and that the server is running.",
    ),
    "platform.zenml_version_differs": ErrorEntry(
        "The ZenML server has another version than the installed package.",
        "Install the version of the server, or update the server.",
    ),
    "predictions.column_unknown": ErrorEntry(
        "`serving.privacy` names a column that is not an input of the model.",
        "Correct the name, or remove it.",
    ),
    "predictions.entity_empty": ErrorEntry(
        "The case to erase was given as an empty text.",
        "Give a value of the identifier column with `--entity`.",
    ),
    "predictions.entity_predicted_again": ErrorEntry(
        "The case was predicted again while it was being erased.",
        "Stop sending it, and erase it again.",
    ),
    "predictions.id_column_missing": ErrorEntry(
        "The use case names no identifier column, so stored rows cannot be traced to a case.",
        "Set `data.id`, or let `serving.privacy.keep_days` erase old rows.",
    ),
    "predictions.id_not_kept": ErrorEntry(
        "The identifier is not stored as a whole, so labels cannot be matched by it.",
        "Send the id of the prediction with the label, or hash the column instead.",
    ),
    "predictions.key_missing": ErrorEntry(
        "Columns are stored as keyed hashes, but the key is not set.",
        "Set the environment variable that the message names to the key of the service, and keep that key.",
    ),
    "predictions.label_from_future": ErrorEntry(
        "A label is dated later than now, by more than clocks differ.",
        "Correct the time when the label became known, or the clock of the machine.",
    ),
    "predictions.label_invalid": ErrorEntry(
        "The label is not a value, for example NaN.",
        "Leave out cases whose label is not known yet.",
    ),
    "predictions.label_owner_ambiguous": ErrorEntry(
        "A label names both or neither of prediction and case.",
        "Give either `id` or `entity`.",
    ),
    "predictions.labels_unknown": ErrorEntry(
        "None of the labels belongs to a prediction in the store, so none was stored.",
        "Give the `id` of each answer, or the identifier of the case exactly as it was sent (`docs/labels.md`).",
    ),
    "predictions.row_invalid": ErrorEntry(
        "A row has values that the model cannot read.",
        "Correct the row that the message names.",
    ),
    "predictions.store_elsewhere": ErrorEntry(
        "The running service uses another prediction store than this command.",
        "Set `NORIA_PREDICTIONS_URL` to the value it had when the service was deployed.",
    ),
    "predictions.store_failed": ErrorEntry(
        "The prediction store cannot be reached, read or written.",
        "Check the database, its network and its disk; restore a damaged SQLite file from a backup.",
    ),
    "predictions.store_newer": ErrorEntry(
        "A newer version of Noria wrote the prediction store.",
        "Use that version of Noria, or another store.",
    ),
    "predictions.traces_left": ErrorEntry(
        "The rows are erased, but their bytes remain in the files of the store because something reads it.",
        "Erase again when nothing else reads the store.",
    ),
    "predictions.url_invalid": ErrorEntry(
        "The URL of the prediction store is not valid, or there is no driver for it.",
        "Use a SQLAlchemy URL such as `sqlite:///p.db` or `postgresql+psycopg://user@host/database`.",
    ),
    "predictions.url_missing": ErrorEntry(
        "The service was started without a prediction store.",
        "Set the environment variable that the message names to a SQLAlchemy URL.",
    ),
    "profiling.inputs_missing": ErrorEntry(
        "No column is left to learn from.",
        "Provide columns whose values are known when the prediction is needed.",
    ),
    "profiling.name_invalid": ErrorEntry(
        "The name cannot be used for a use case.",
        "Use lower-case letters, digits and `_`.",
    ),
    "profiling.password_in_url": ErrorEntry(
        "The URL holds a password, which would be written to a file.",
        "Put the password into an environment variable, and refer to it as `${env:DB_PASSWORD}`.",
    ),
    "profiling.query_missing": ErrorEntry(
        "A database was named without a query.",
        "Add `--query 'SELECT … FROM …'`.",
    ),
    "profiling.query_without_database": ErrorEntry(
        "A query was given, but `--data` is not the URL of a database.",
        "Write `--data` as a SQLAlchemy URL, or leave `--query` out.",
    ),
    "profiling.rows_missing": ErrorEntry(
        "No row can be learned from: in each one the target or the time is missing, or a number is too large.",
        "Bring complete rows, or give large numbers in another unit.",
    ),
    "profiling.target_class_too_rare": ErrorEntry(
        "Fewer than two classes of the target have enough rows.",
        "Provide more rows of the rare classes.",
    ),
    "profiling.target_classes_too_many": ErrorEntry(
        "The target has too many different texts to be classes.",
        "Choose a target with fewer classes.",
    ),
    "profiling.target_constant": ErrorEntry(
        "The target has no value, or only one.",
        "Choose a target that varies.",
    ),
    "profiling.target_kind_unusable": ErrorEntry(
        "The target holds neither numbers nor classes.",
        "Choose a target of numbers, texts or truth values.",
    ),
    "profiling.target_mixed": ErrorEntry(
        "The target mixes numbers with text.",
        "Empty or remove the text values.",
    ),
    "registry.bundle_missing": ErrorEntry(
        "A model version has no bundle of the requested kind.",
        "Train again, and promote the new version if needed.",
    ),
    "registry.bundle_not_fetched": ErrorEntry(
        "The bundle of a model cannot be fetched from the artifact store.",
        "Use the stack that the model was trained on, or train on this one.",
    ),
    "registry.challenger_ambiguous": ErrorEntry(
        "Several challengers answer, and none was named.",
        "Name one with `--version N`.",
    ),
    "registry.challenger_missing": ErrorEntry(
        "There is no version that was never promoted.",
        "Train again, or name a version by its number.",
    ),
    "registry.champion_missing": ErrorEntry(
        "No model of this use case has been promoted yet.",
        "Run `python run.py train` with the same `--config`.",
    ),
    "registry.gate_not_passed": ErrorEntry(
        "The gate did not let this model version through, and its promotion was not confirmed.",
        "Confirm it, or add `--yes`; or train again.",
    ),
    "registry.version_unknown": ErrorEntry(
        "There is no model version with that number.",
        "Use one of the versions that the message lists, or `champion`, `challenger` or `rules`.",
    ),
    "replay.day_invalid": ErrorEntry(
        "`--from` or `--to` is not a day.",
        "Write it as 2013-03-01.",
    ),
    "replay.needs_local_stack": ErrorEntry(
        "A replay serves on this machine, but the selected stack serves elsewhere.",
        "Run it with `--stack local`.",
    ),
    "replay.no_cases": ErrorEntry(
        "The table has no case in the replayed period.",
        "Choose a period that the table covers.",
    ),
    "replay.no_time": ErrorEntry(
        "The use case has no time of its cases, or that column holds no dates.",
        "Name a column of dates in `data.time`.",
    ),
    "replay.not_flushed": ErrorEntry(
        "Predictions of a replay do not reach the prediction store.",
        "Read the service's log.",
    ),
    "replay.period_empty": ErrorEntry(
        "The replayed period ends before it begins.",
        "Give a first day and a later one.",
    ),
    "replay.task_unsupported": ErrorEntry(
        "Use cases with several classes cannot be replayed.",
        "Replay a binary or regression use case.",
    ),
    "request.address_unknown": ErrorEntry(
        "The service has nothing at that address.",
        "See `/openapi.json`.",
    ),
    "request.columns_mismatch": ErrorEntry(
        "A table in the request lacks an input column, or has one twice.",
        "Send every input of the model once; null means that a value is not known.",
    ),
    "request.compression_not_read": ErrorEntry(
        "The Arrow stream is compressed.",
        "Send it without compression, packed with gzip (`Content-Encoding: gzip`), or as Parquet.",
    ),
    "request.content_encoding_unknown": ErrorEntry(
        "The body is packed in a way that the service does not read; the header `Content-Encoding` names it.",
        "Send the body as it is, without that header, or packed with gzip.",
    ),
    "request.gzip_invalid": ErrorEntry(
        "The header says `Content-Encoding: gzip`, but the body is not one complete gzip stream.",
        "Pack the whole body once with gzip, or send it without that header.",
    ),
    "request.headers_too_large": ErrorEntry(
        "The address and headers of a request are longer than 32 kB (431).",
        "Send fewer and shorter headers, and data in the body.",
    ),
    "request.host_unknown": ErrorEntry(
        "A service without tokens was asked under a name that is not its own (421). A web page may have made its own"
        " name point to this machine.",
        "Ask `localhost` or `127.0.0.1`, add the name to `serving.hosts`, or start the service with tokens.",
    ),
    "request.http_invalid": ErrorEntry(
        "What arrived is not a request of HTTP/1.1.",
        "Ask with an HTTP client; `https` needs a proxy in front of the service.",
    ),
    "request.json_invalid": ErrorEntry(
        "The body is not valid JSON.",
        "Send valid JSON.",
    ),
    "request.labels_contradict": ErrorEntry(
        "A label that a person gives differs from the label that another person has given the same case.",
        "Settle it with them, then import the answer with `python run.py label --import FILE --resolve newest`.",
    ),
    "request.labels_invalid": ErrorEntry(
        "Some labels are wrong, so none was stored.",
        "Correct the labels that the answer lists, and send the request again.",
    ),
    "request.labels_missing": ErrorEntry(
        "The request holds no labels.",
        "Send at least one label.",
    ),
    "request.media_type_unknown": ErrorEntry(
        "The request names no content type, or one that the service does not read.",
        "Send JSON, an Arrow stream or Parquet.",
    ),
    "request.method_not_allowed": ErrorEntry(
        "The address does not support that HTTP method.",
        "See `/openapi.json`.",
    ),
    "request.nested_too_deeply": ErrorEntry(
        "The JSON of the request is nested too deeply.",
        "Send rows of plain values.",
    ),
    "request.number_not_finite": ErrorEntry(
        "A field is `NaN`, `Infinity` or `-Infinity`, which JSON does not have.",
        "Send `null` for a value that is not known.",
    ),
    "request.origin_foreign": ErrorEntry(
        "A web page of another site sent a request that writes (403).",
        "Send it from the page of the service or from a program. Behind a proxy that changes the header `Host`, add the"
        " name that people use to `serving.hosts`.",
    ),
    "request.rate_exceeded": ErrorEntry(
        "The client sends more requests per second than allowed.",
        "Wait as long as the header `Retry-After` says, and send fewer requests.",
    ),
    "request.rows_invalid": ErrorEntry(
        "Some rows cannot be predicted, so none was.",
        "Correct the rows that the answer lists, and send the request again.",
    ),
    "request.rows_missing": ErrorEntry(
        "The request holds no rows.",
        "Send at least one row.",
    ),
    "request.shape_invalid": ErrorEntry(
        "The JSON does not have the expected fields.",
        "See `/openapi.json`.",
    ),
    "request.smoke_refused": ErrorEntry(
        "A request marks itself as a smoke test, without the key of a deployment or the token for `admin` (403).",
        "Send `X-Noria-Test: 1` to try the service out.",
    ),
    "request.table_unreadable": ErrorEntry(
        "The Arrow or Parquet table cannot be read.",
        "Write it again with a current Arrow library.",
    ),
    "request.timed_out": ErrorEntry(
        "The headers or the body of a request did not arrive in time (408).",
        "Send them faster, or raise `serving.limits.header_timeout_s` or `body_timeout_s`.",
    ),
    "request.token_guesses": ErrorEntry(
        "A client sends many unknown tokens (429).",
        "Send the right token; it is answered at any time.",
    ),
    "request.token_missing": ErrorEntry(
        "The address needs a token, and none was sent.",
        "Send the header `Authorization: Bearer TOKEN`.",
    ),
    "request.token_not_set": ErrorEntry(
        "The service has no token for this address, so it cannot be used.",
        "Start the service with tokens.",
    ),
    "request.token_refused": ErrorEntry(
        "The token is unknown, or does not allow this.",
        "Send the token of the scope that the answer names.",
    ),
    "request.too_large": ErrorEntry(
        "The request holds more rows, columns, labels or bytes than the service takes at once.",
        "Send several requests, and only the columns that the model needs.",
    ),
    "request.value_type_unknown": ErrorEntry(
        "A column of the table has a type that cannot be read.",
        "Send numbers, texts, truth values or dates.",
    ),
    "rules.answer_unknown": ErrorEntry(
        "A rule answers with a class that the target does not have.",
        "Use one of the classes of the target.",
    ),
    "rules.category_unordered": ErrorEntry(
        "A condition orders a category, which has no order.",
        "Use `==`, `!=` or `in`.",
    ),
    "rules.column_unknown": ErrorEntry(
        "A rule names a column that the table lacks or that a model may not see.",
        "Use an input column; the target, identifiers, groups and excluded columns are not inputs.",
    ),
    "rules.condition_incomplete": ErrorEntry(
        "A condition is a column without a comparison.",
        "Compare the column with a value.",
    ),
    "rules.condition_too_long": ErrorEntry(
        "A condition is too long.",
        "Split the rule into several rules.",
    ),
    "rules.condition_unreadable": ErrorEntry(
        "A condition is not a valid expression.",
        "Correct the expression; write `==` for equality, and column names with blanks in backticks.",
    ),
    "rules.expression_not_allowed": ErrorEntry(
        "A condition uses an expression that rules do not allow.",
        "Use comparisons, `in`, `and`, `or`, `not`, `is_missing` and arithmetic.",
    ),
    "rules.kinds_differ": ErrorEntry(
        "A condition compares or computes values of different kinds, for example text with numbers.",
        "Compare values of the same kind; write dates in quotation marks.",
    ),
    "rules.list_invalid": ErrorEntry(
        "`in` is used without a column on its left or without a list of values on its right.",
        "Write `column in [value, value]`.",
    ),
    "rules.number_too_large": ErrorEntry(
        "A number in a condition is too large.",
        "Use a smaller number.",
    ),
    "schema.column_missing": ErrorEntry(
        "The rows lack an input column of the model.",
        "Provide every input column of the model.",
    ),
    "schema.column_unreadable": ErrorEntry(
        "Values of a training column cannot be read as the kind that most of them have.",
        "Declare the type in `data.expectations.columns`, or list the column in `features.categorical` or"
        " `features.exclude`.",
    ),
    "schema.inputs_missing": ErrorEntry(
        "No column is left that a model could learn from.",
        "Provide more columns.",
    ),
    "service.busy": ErrorEntry(
        "The service handles too many requests at once.",
        "Try again in a moment.",
    ),
    "service.failed": ErrorEntry(
        "The service cannot do this because of an error of its own.",
        "Read the log of the service; try again later.",
    ),
    "service.not_ready": ErrorEntry(
        "The service cannot answer or store answers at the moment.",
        "Read the log of the service; try again later.",
    ),
    "service.not_started": ErrorEntry(
        "The service has not finished starting.",
        "Try again in a moment.",
    ),
    "service.settings_unreadable": ErrorEntry(
        "The settings of the service, which the deployment passes to it, cannot be read.",
        "Deploy again.",
    ),
    "service.token_weak": ErrorEntry(
        "A token is too short or holds blanks.",
        "Generate one as the message shows.",
    ),
    "service.tokens_equal": ErrorEntry(
        "Two of the three tokens are the same, so one opens what another one should guard.",
        "Give each variable a token of its own; make one with `openssl rand -hex 32`.",
    ),
    "service.tokens_incomplete": ErrorEntry(
        "Some tokens are set and others are not.",
        "Set all three tokens, or none.",
    ),
    "spool.answers_not_kept": ErrorEntry(
        "The service cannot store its answers, so it gives none.",
        "Try again later; the operator finds the reason in the log.",
    ),
    "spool.closed": ErrorEntry(
        "The spool was closed because the service is stopping.",
        "Start the service again.",
    ),
    "spool.dead_letters_not_removed": ErrorEntry(
        "Entries that were set aside cannot be removed.",
        "Release or unlock the path that the message names.",
    ),
    "spool.folder_missing": ErrorEntry(
        "The service was started without a folder for its spool.",
        "Set the environment variable that the message names to a folder on a disk that outlives the process.",
    ),
    "spool.full": ErrorEntry(
        "As much data waits for the prediction store as `serving.spool.max_mb` allows.",
        "Repair the prediction store, or raise `serving.spool.max_mb`.",
    ),
    "spool.not_drained": ErrorEntry(
        "The spool could not be moved to the prediction store in time.",
        "Try again when the service is less busy.",
    ),
    "spool.unusable": ErrorEntry(
        "The spool cannot be read or written while it is moved to the prediction store.",
        "Repair the disk.",
    ),
    "spool.unwritable": ErrorEntry(
        "The spool cannot be written.",
        "Free some disk space, or choose a writable folder with `NORIA_SPOOL_DIR`.",
    ),
    "stack.flavor_differs": ErrorEntry(
        "A component is registered with another flavor than the file of the stack says.",
        "Rename the component in the file, or delete the registered one.",
    ),
    "stack.in_use": ErrorEntry(
        "The stack is in use, so it cannot be removed.",
        "Choose another stack first: `python run.py stack use local`.",
    ),
    "stack.name_differs": ErrorEntry(
        "The name of the stack in the file is not that of the file.",
        "Correct `stack_name`, or rename the file.",
    ),
    "stack.not_ready": ErrorEntry(
        "Something that the stack needs on this machine is missing.",
        "Follow the advice in the message; `python run.py stack check NAME` lists everything.",
    ),
    "stack.not_registered": ErrorEntry(
        "No stack of that name is registered.",
        "Use one of the registered stacks that the message lists.",
    ),
    "stack.refused": ErrorEntry(
        "ZenML refuses a setting of the stack.",
        "Correct that setting; `python run.py stack check NAME` shows what else is wrong.",
    ),
    "stack.unfit": ErrorEntry(
        "The stack lacks a component that the pipeline needs.",
        "Choose another `--stack`, or add the component.",
    ),
    "stack.unknown": ErrorEntry(
        "There is no stack, or no file of a stack, with that name.",
        "Use one of the stacks that the message lists.",
    ),
    "traffic.canary_share_missing": ErrorEntry(
        "The canary would grow to a larger share than the champion can give.",
        "Take shares from other variants first, or let `serving.canary.steps` end lower.",
    ),
    "traffic.canary_under_way": ErrorEntry(
        "Another canary is under way.",
        "Promote it, or take it back with `rollback`.",
    ),
    "traffic.fixed_in_image": ErrorEntry(
        "The image of the service fixes which models answer.",
        "Build the image again.",
    ),
    "traffic.not_managed": ErrorEntry(
        "The service was started without a folder for changes of traffic.",
        "Start it with `NORIA_SERVICE_DIR`.",
    ),
    "traffic.plan_locked": ErrorEntry(
        "The traffic plan is locked or cannot be written.",
        "Release or unlock the path that the message names.",
    ),
    "traffic.plan_unreadable": ErrorEntry(
        "The traffic plan cannot be read.",
        "Stop and deploy again, or build the image again.",
    ),
    "traffic.policy_key_unknown": ErrorEntry(
        "The decision policy of this kind of model does not have that key.",
        "Use the keys that the message lists.",
    ),
    "traffic.policy_missing": ErrorEntry(
        "A variant was named without a change of its policy.",
        "Add `--threshold` or another option of the policy.",
    ),
    "traffic.policy_of_rules_fixed": ErrorEntry(
        "The decisions of written rules cannot be changed while they run.",
        "Change the rules in the use case, and train.",
    ),
    "traffic.policy_value_invalid": ErrorEntry(
        "A value of the decision policy is not a probability.",
        "Give a number from 0 to 1.",
    ),
    "traffic.share_invalid": ErrorEntry(
        "A share is not a number from 0 to 1.",
        "Write `NAME=SHARE`, such as `challenger=0.1`.",
    ),
    "traffic.shares_invalid": ErrorEntry(
        "The shares in the request do not form a traffic plan.",
        "Send numbers from 0 to 1 that add up to at most 1.",
    ),
    "traffic.shares_sum_invalid": ErrorEntry(
        "The shares add up to more than 1, or not to 1.",
        "Leave the champion out, which takes the rest, and keep the others at 1 or less together.",
    ),
    "traffic.variant_name_invalid": ErrorEntry(
        "The name cannot be used for a variant.",
        "Use up to 64 letters, digits, dots, dashes and underscores.",
    ),
    "traffic.variant_unknown": ErrorEntry(
        "No variant of that name answers.",
        "Use one of the names that the message lists.",
    ),
    "training.classes_missing": ErrorEntry(
        "The training rows do not hold the two classes of a binary problem.",
        "Correct `problem.positive`, or provide rows of both classes.",
    ),
    "training.no_candidate_left": ErrorEntry(
        "No candidate meets the budgets and requirements of the use case.",
        "Raise the budgets, or add smaller candidates.",
    ),
    "training.rows_missing": ErrorEntry(
        "There are no training rows.",
        "Provide more rows.",
    ),
    "training.windows": ErrorEntry(
        "Windows to learn from cannot be compared: the current one is missing, or a worth is.",
        "Give one finite worth per period for each window, the current one included.",
    ),
    "workspace.file_unwritable": ErrorEntry(
        "A file cannot be written.",
        "Free some space, or choose a folder that you may write to.",
    ),
    "workspace.lock_unwritable": ErrorEntry(
        "The lock file of a command cannot be written.",
        "Release or unlock the path that the message names.",
    ),
    "workspace.locked": ErrorEntry(
        "Another command is already running for this use case.",
        "Wait until it ends, or stop it with Ctrl-C.",
    ),
    "workspace.name_invalid": ErrorEntry(
        "A name would lead out of the workspace's folder.",
        "Name the use case with letters, digits and underscores.",
    ),
    "workspace.unwritable": ErrorEntry(
        "The workspace cannot be written.",
        "Release or unlock that path, or set `NORIA_HOME` to a folder that you may write to.",
    ),
}
"""Error code → what it means. A code is never reused with another meaning; the wording of messages may change."""


def as_markdown() -> str:
    """docs/errors.md."""
    lines = [
        "# Error codes",
        "",
        "<!-- Rendered from noria/system/error_catalogue.py by `make docs-errors`; edit it there. -->",
        "",
        "Every error that you can correct has a code such as `data.column_missing`. The command line prints it below",
        "the message, the service sends it as `code`, and in Python it is `NoriaError.code`. Codes are stable: match",
        "on them, not on the wording of a message. The message itself names the columns, paths and values concerned.",
    ]
    for area, about in AREAS.items():
        lines += ["", f"## {area}", "", about, "", "| Code | Cause | Cure |", "|---|---|---|"]
        for code, entry in ERRORS.items():
            if code.partition(".")[0] == area:
                lines.append(f"| `{code}` | {entry.cause} | {entry.cure} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(as_markdown(), end="")
