#!/bin/sh
# s3rver 3.7.1 (npm): a PUT with `If-None-Match: *` onto an object that is there answers 200 and overwrites it. S3 answers 412
# and keeps what it has. Nothing in the answer tells that the condition was not looked at.
#
# Output seen:
#   first PUT: 200
#   second PUT, only where there is none: 200
#   the object: two
#
# Exits with 1 when that changes. Needs Node with npm, and curl 7.88 or newer, which signs the requests.
set -eu
folder=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts s3rver@3.7.1
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir data
node node_modules/s3rver/bin/s3rver.js -d data -a 127.0.0.1 -p "$port" --no-vhost-buckets --configure-bucket b >log 2>&1 &
server=$!
url="http://127.0.0.1:$port/b/o"
sign() { curl --silent --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' --user S3RVER:S3RVER --aws-sigv4 aws:amz:us-east-1:s3 "$@"; }
put() { sign --output /dev/null --write-out '%{http_code}\n' --upload-file "$@" "$url"; }
curl --silent --output /dev/null --retry 50 --retry-delay 1 --retry-connrefused "http://127.0.0.1:$port/"
printf one >one
printf two >two
{
    printf 'first PUT: '
    put one --header 'If-None-Match: *'
    printf 'second PUT, only where there is none: '
    put two --header 'If-None-Match: *'
    printf 'the object: '
    sign "$url"
    echo
} >seen
cat seen
printf 'first PUT: 200\nsecond PUT, only where there is none: 200\nthe object: two\n' | diff - seen
