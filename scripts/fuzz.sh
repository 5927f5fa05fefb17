#!/usr/bin/env bash
# Runs the targets of tests/fuzz with libFuzzer, one after the other, and says how many
# inputs each has tried and how much code they reached. What they found stays in
# target/fuzz/TARGET: `corpus` has inputs that reach something new, `found` those that
# break a promise.
#
# usage: fuzz.sh SECONDS [TARGET...]
set -euo pipefail

source "$(dirname "$0")/common.sh"

version=0.13.2
root=$(cd "$(dirname "$0")/.." && pwd)
crate=$root/tests/fuzz/libfuzzer
work=$root/target/fuzz
# Not the program's: a static C library has no part for C++, in which libFuzzer is.
target=$(uname -m)-unknown-linux-gnu
programs=$root/target/fuzz-coverage/$target/release

is_there() {
    [[ $("$tools/bin/cargo-fuzz" --version 2>/dev/null) == "cargo-fuzz $version" ]]
}

install_cargo_fuzz() {
    say "building cargo-fuzz $version into $tools (a minute)"
    cargo install cargo-fuzz --version "$version" --locked --quiet --force --root "$tools"
}

# Without a sanitizer, it works with the stable toolchain. The code that it could check
# is in other people's crates.
build() {
    # cargo-fuzz can't be told that the versions are fixed.
    cargo metadata --locked --format-version 1 --manifest-path "$crate/Cargo.toml" >/dev/null
    "$tools/bin/cargo-fuzz" build --fuzz-dir "$crate" --sanitizer none --target "$target" \
        --target-dir "$root/target/fuzz-coverage" --codegen-units 16
}

# The numbers of a run, from its log: executions, covered edges, and features, which
# also count how often an edge was taken.
number_of() {
    local name=$1 log=$2
    case $name in
    executions) sed -n 's/^stat::number_of_executed_units: *//p' "$log" ;;
    *) sed -n "s/.* $name: \([0-9]*\).*/\1/p" "$log" | tail -n 1 ;;
    esac
}

# Runs a target. Its exit code is that of libFuzzer, which isn't 0 after a find.
fuzz() {
    local name=$1 seconds=$2 folder=$work/$1
    rm -rf "$folder/seeds"
    mkdir -p "$folder"/{seeds,corpus,found,temporary}
    touch "$folder/begun"
    WASMVARK_FUZZ_SEEDS=$folder/seeds TMPDIR=$folder/temporary "$programs/$name" \
        -max_total_time="$seconds" -timeout=30 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$folder/found/" "$folder/corpus" "$folder/seeds" \
        >"$folder/log" 2>&1
}

# What the last run of a target has found.
finds() {
    find "$work/$1/found" -type f -newer "$work/$1/begun"
}

(($#)) || fail 'usage: fuzz.sh SECONDS [TARGET...]'
seconds=$1
shift
if ((!$#)); then
    for file in "$crate"/fuzz_targets/*.rs; do
        set -- "$@" "$(basename "$file" .rs)"
    done
fi
is_there || install_cargo_fuzz
build

sum=0
broken=()
printf '%-10s %12s %10s %10s\n' target executions edges features
for name in "$@"; do
    [[ -x $programs/$name ]] || fail "there is no target $name"
    fuzz "$name" "$seconds" || broken+=("$name")
    log=$work/$name/log
    executions=$(number_of executions "$log")
    printf '%-10s %12s %10s %10s\n' "$name" "${executions:-0}" "$(number_of cov "$log")" "$(number_of ft "$log")"
    sum=$((sum + ${executions:-0}))
    rm -rf "$work/$name/temporary"
done
printf '%-10s %12s\n' all "$sum"

for name in "${broken[@]}"; do
    say "$name: see $work/$name/log" >&2
    finds "$name" | while read -r input; do
        say "try it again with: $programs/$name $input" >&2
    done
done
((!${#broken[@]}))
