#!/usr/bin/env bash
# Runs all suites that run on this machine, with the flags for cargo. That of the languages
# compiles and downloads beside the others, some of which wait most of their time.
set -euo pipefail
cd "$(dirname "$0")/.."

log=target/languages.log
cargo test "$@" --test languages --no-run
cargo test "$@" --test languages >"$log" 2>&1 &
languages=$!

status=0
cargo test "$@" || status=$?
wait "$languages" || status=$?
cat "$log"
exit "$status"
