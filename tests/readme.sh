#!/usr/bin/env bash
# Runs the commands of README.md word for word: every ```bash block, in order, in one shell.
# (The two commands in its ```sh block are run by .ci/run itself.)
set -euo pipefail
cd "$(dirname "$0")/.."
commands=$(awk '/^```bash$/ {inside = 1; next} /^```/ {inside = 0} inside' README.md)
[ -n "$commands" ] || { echo "README.md has no commands" >&2; exit 1; }
bash -euxo pipefail -c "$commands"
