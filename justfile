# Every way to run, test and look after Flowtrail. `just --list` shows them; `./just` works where just is not installed.

set positional-arguments

# List the recipes.
default:
    @"{{ just_executable() }}" --list --unsorted

# Build in release and run everything in one process, with a nats-server of its own; Ctrl-C stops it all.
up *ARGS:
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    # Empty where there is no Node: then it runs without the page, and this said so.
    FLOWTRAIL_EXPLORER_NODE_MODULES=$(.ci/install-explorer)
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_EXPLORER_NODE_MODULES
    # cargo replaces itself by the program, so a signal reaches it directly.
    exec cargo run --release --bin flowtrail -- up "$@"

# The same as `up`, with sample events from real logs already in.
demo *ARGS:
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    FLOWTRAIL_EXPLORER_NODE_MODULES=$(.ci/install-explorer)
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_EXPLORER_NODE_MODULES
    exec cargo run --release --bin flowtrail -- up --demo "$@"

# Run all tests against a real nats-server, with the clients that people use; ARGS narrow them down.
test *ARGS:
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    FLOWTRAIL_TEST_PYTHON=$(.ci/install-python-clients)
    FLOWTRAIL_TEST_CLOUDEVENTS=$(.ci/install-cloudevents)
    # The next ones are empty where they cannot be had: then their tests say so.
    FLOWTRAIL_EXPLORER_NODE_MODULES=$(.ci/install-explorer)
    FLOWTRAIL_TEST_RSYSLOG=$(.ci/install-rsyslog)
    FLOWTRAIL_TEST_SYSLOG_NG=$(.ci/install-syslog-ng)
    FLOWTRAIL_TEST_NODE=$(.ci/install-node-examples)
    FLOWTRAIL_TEST_BROWSER=$(.ci/install-browser)
    FLOWTRAIL_TEST_S3RVER=$(.ci/install-node-stand-ins)
    FLOWTRAIL_TEST_READERS=$(.ci/install-bench-peers) || FLOWTRAIL_TEST_READERS=
    FLOWTRAIL_TEST_PROMTOOL=$(.ci/install-promtool)
    FLOWTRAIL_TEST_DEPLOY=$(.ci/install-deploy-tools) || FLOWTRAIL_TEST_DEPLOY=
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_TEST_PYTHON FLOWTRAIL_TEST_CLOUDEVENTS FLOWTRAIL_TEST_RSYSLOG
    export FLOWTRAIL_TEST_SYSLOG_NG FLOWTRAIL_TEST_NODE FLOWTRAIL_TEST_S3RVER FLOWTRAIL_TEST_READERS
    export FLOWTRAIL_TEST_PROMTOOL FLOWTRAIL_TEST_DEPLOY FLOWTRAIL_TEST_BROWSER FLOWTRAIL_EXPLORER_NODE_MODULES
    if cargo nextest --version >/dev/null 2>&1; then
        exec cargo nextest run --workspace "$@"
    fi
    exec cargo test --workspace "$@"

# What every commit passes: format, lints, dependencies, tests.
check: format lint deny test

# Fail where the code is not formatted.
format:
    cargo fmt --all --check

# Fail on every warning.
lint:
    cargo clippy --workspace --all-targets -- --deny warnings

# Check the licences, sources and, where their database can be reached, the advisories of all dependencies.
deny:
    #!/bin/sh
    set -eu
    deny=.tools/bin/cargo-deny
    case $("$deny" --version 2>/dev/null) in
        'cargo-deny {{ cargo_deny }}') ;;
        *) cargo install --quiet --locked cargo-deny --version {{ cargo_deny }} --root .tools ;;
    esac
    if "$deny" --log-level off fetch db 2>/dev/null; then
        exec "$deny" check
    fi
    echo 'the advisory database cannot be reached: checking all but advisories' >&2
    exec "$deny" check bans licenses sources

cargo_deny := '0.20.2'

# Check that locked tools install with an old pip and the newest whatever is released later; `locks peers`: those of bench compare.
locks *LOCKS:
    #!/bin/sh
    set -eu
    # A stale lock would be brought up to date silently, with whatever is newest.
    for manifest in Cargo.toml services/gateway/fuzz/Cargo.toml; do
        cargo metadata --locked --format-version 1 --manifest-path "$manifest" >/dev/null
    done
    exec .ci/check-locks "$@"

# Send a reader of strangers' texts what chance makes up, for so long: TARGET is cursor, filter, query, cloudevents or instavm_validation.
fuzz TARGET SECONDS='600':
    #!/bin/sh
    set -eu
    case $(.tools/bin/cargo-fuzz --version 2>/dev/null) in
        'cargo-fuzz {{ cargo_fuzz }}') ;;
        *) cargo install --quiet --locked cargo-fuzz --version {{ cargo_fuzz }} --root .tools ;;
    esac
    # The sanitizers need it.
    rustup run nightly rustc --version >/dev/null 2>&1 || rustup toolchain install nightly --profile minimal
    PATH=$PWD/.tools/bin:$PATH
    cd services/gateway/fuzz
    mkdir -p "corpus/$1"
    # What it finds worth keeping goes into the first folder; the seeds stay as they are.
    exec cargo +nightly fuzz run --fuzz-dir . --target-dir target "$1" "corpus/$1" "seeds/$1" -- \
        -max_total_time="$2" -max_len=16384 -timeout=10 -print_final_stats=1

cargo_fuzz := '0.13.2'

# Kill everything at a random moment of an import, again and again: nothing may be lost or doubled.
drill ROUNDS='20' RECORDS='100000':
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    FLOWTRAIL_DRILL_ROUNDS=$1
    FLOWTRAIL_DRILL_RECORDS=$2
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_DRILL_ROUNDS FLOWTRAIL_DRILL_RECORDS
    exec cargo test --release --package flowtrail --test end_to_end -- kill:: --nocapture

# Kill everything at random moments while events are delivered: each must arrive, in order.
drill-delivery KILLS='20' EVENTS='2000':
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    FLOWTRAIL_DRILL_KILLS=$1
    FLOWTRAIL_DRILL_EVENTS=$2
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_DRILL_KILLS FLOWTRAIL_DRILL_EVENTS
    exec cargo test --release --package flowtrail --test end_to_end -- delivery::killed --nocapture

# Kill everything at random moments while events go to a stand-in for S3: each must be in exactly one object.
drill-s3 KILLS='10' EVENTS='100000':
    @"{{ just_executable() }}" drill-receiver "$1" "$2" aws::s3::

# The same with Firehose, behind a proxy that keeps its limits and fails: only what may have been sent may come again.
drill-firehose KILLS='10' EVENTS='100000':
    @"{{ just_executable() }}" drill-receiver "$1" "$2" aws::firehose::

# Deliver to a webhook receiver that fails in every way: complete, in order, verified, and not before it wants it.
drill-webhook REQUESTS='10000':
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    FLOWTRAIL_TEST_PYTHON=$(.ci/install-python-clients)
    FLOWTRAIL_DRILL_REQUESTS=$1
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_TEST_PYTHON FLOWTRAIL_DRILL_REQUESTS
    exec cargo test --release --package flowtrail --test end_to_end -- webhook:: --nocapture

[private]
drill-receiver KILLS EVENTS TEST:
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    FLOWTRAIL_TEST_PYTHON=$(.ci/install-python-clients)
    FLOWTRAIL_DRILL_KILLS=$1
    FLOWTRAIL_DRILL_EVENTS=$2
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_TEST_PYTHON FLOWTRAIL_DRILL_KILLS FLOWTRAIL_DRILL_EVENTS
    exec cargo test --release --package flowtrail --test end_to_end -- "$3" --nocapture

# Deliver EVENTS to nine fast receivers, by turns next to one that never answers: rates, their ratio, and memory.
drill-fair EVENTS='100000':
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    FLOWTRAIL_DRILL_EVENTS=$1
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_DRILL_EVENTS
    exec cargo test --release --package flowtrail --test end_to_end -- fair:: --nocapture

# Let many clients be slow on purpose, with headers, bodies and answers: they are cut off, and others wait no longer.
drill-slow SOCKETS='500':
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    FLOWTRAIL_DRILL_SOCKETS=$1
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_DRILL_SOCKETS
    exec cargo test --release --package flowtrail --test end_to_end -- slow:: --nocapture

# Send every kind of hostile input to every endpoint, again and again: no 5xx, no panic, no memory that stays taken.
drill-hostile ROUNDS='12':
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    FLOWTRAIL_DRILL_ROUNDS=$1
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_DRILL_ROUNDS
    exec cargo test --release --package flowtrail --test end_to_end -- hostile:: --nocapture

# Ask for everything of another account: nothing of it may be seen, and foreign must look like missing.
drill-foreign CALLS='10000':
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    FLOWTRAIL_DRILL_CALLS=$1
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_DRILL_CALLS
    exec cargo test --release --package flowtrail --test end_to_end -- foreign:: --nocapture

# Measure ingest, publish to visible, event streaming, replay and the lists; `bench compare [RECORDS]`: the lists of Flowtrail and other stores; `bench accounts`: the memory of 10,000 accounts; `bench quiet`: an account beside one that floods.
bench *ARGS:
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    export FLOWTRAIL_NATS_SERVER
    if [ "${1:-}" = accounts ] || [ "${1:-}" = quiet ]; then
        which=$1
        shift
        python=$(.ci/install-python-clients)
        cargo build --release --package flowtrail --bins
        program=${CARGO_TARGET_DIR:-target}/release/flowtrail
        exec "$python" "services/flowtrail/bench/$which.py" --flowtrail "$program" --data "target/bench/$which" "$@"
    fi
    if [ "${1:-}" = compare ]; then
        shift
        peers=$(.ci/install-bench-peers)
        cargo build --release --package flowtrail --bins
        program=${CARGO_TARGET_DIR:-target}/release/flowtrail
        exec "$peers" services/flowtrail/bench/compare.py --flowtrail "$program" "$@"
    fi
    # The benchmark starts the program itself.
    cargo build --release --package flowtrail --bins --examples
    exec cargo run --release --package flowtrail --example bench -- "$@"

# Write the JSON Schemas of all events and the description of the API into schemas/ again.
schemas:
    cargo run --bin flowtrail -- schemas --write schemas

# Build for release, and take the pictures of the page in docs/pictures again, from the demo.
screenshots:
    #!/bin/sh
    set -eu
    FLOWTRAIL_NATS_SERVER=$(.ci/install-nats-server)
    FLOWTRAIL_EXPLORER_NODE_MODULES=$(.ci/install-explorer)
    FLOWTRAIL_TEST_BROWSER=$(.ci/install-browser)
    export FLOWTRAIL_NATS_SERVER FLOWTRAIL_EXPLORER_NODE_MODULES FLOWTRAIL_TEST_BROWSER
    cargo build --release --bin flowtrail
    exec node services/flowtrail/tests/browser/screenshots.mjs "${CARGO_TARGET_DIR:-target}/release/flowtrail" docs/pictures

# Draw the pictures of docs/ again, from the texts next to them.
pictures:
    #!/bin/sh
    set -eu
    cd docs/pictures
    for source in *.txt; do
        python3 draw.py "$source" > "${source%.txt}.svg"
    done

# Draw the dashboard of deploy/grafana again, from the program next to it.
dashboard:
    #!/bin/sh
    set -eu
    python=$(.ci/install-deploy-tools)
    mkdir -p target
    PYTHONDONTWRITEBYTECODE=1 "$python" deploy/grafana/draw.py > target/flowtrail.json
    mv target/flowtrail.json deploy/grafana/flowtrail.json

# Build for release, and pack a Debian package in target/packages.
deb:
    #!/bin/sh
    set -eu
    python=$(.ci/install-deploy-tools)
    FLOWTRAIL_COMMIT=$(git rev-parse --short=12 HEAD)
    # The same package again from the same commit.
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
    FLOWTRAIL_EXPLORER_NODE_MODULES=$(.ci/install-explorer)
    export FLOWTRAIL_COMMIT SOURCE_DATE_EPOCH FLOWTRAIL_EXPLORER_NODE_MODULES
    cargo build --locked --profile dist --bin flowtrail
    unset FLOWTRAIL_COMMIT
    exec "$python" deploy/package "${CARGO_TARGET_DIR:-target}/dist/flowtrail" target/packages

# List the crates that the program is made of, with their licences, as CycloneDX has it: target/flowtrail.cdx.json.
sbom:
    #!/bin/sh
    set -eu
    case $(.tools/bin/cargo-cyclonedx cyclonedx --version 2>/dev/null) in
        'cargo-cyclonedx-cyclonedx {{ cargo_cyclonedx }}') ;;
        *) cargo install --quiet --locked cargo-cyclonedx --version {{ cargo_cyclonedx }} --root .tools ;;
    esac
    # The same list again from the same commit.
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
    export SOURCE_DATE_EPOCH
    .tools/bin/cargo-cyclonedx cyclonedx --quiet --format json --spec-version 1.5 --no-build-deps --describe binaries \
        --manifest-path services/flowtrail/Cargo.toml
    mkdir -p target
    # It writes next to the manifest.
    mv services/flowtrail/flowtrail_bin.cdx.json target/flowtrail.cdx.json

cargo_cyclonedx := '0.5.9'

# Compute a view again from the log, next to the old one: `just rebuild audit`, `just rebuild --all`.
rebuild *ARGS:
    @exec cargo run --release --bin flowtrail -- rebuild "$@"

# Publish files of a public log format: `just import zeek-conn FILE...`; see `flowtrail import --help`.
import *ARGS:
    @exec cargo run --release --bin flowtrail -- import "$@"
