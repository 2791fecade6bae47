#!/bin/sh
# s3rver answers 200 to a conditional write that must fail, and overwrites; Object Lock it accepts and forgets.
#
# Versions: s3rver 3.7.1 (npm), boto3 1.43.11 (PyPI), Node 20.20.2.
# Behaviour: `If-None-Match: *` in a PUT means: only where there is no such object. s3rver does not look at it. Who relies on
#   it to write each object once, and tries the condition only by its answer to a key that is new, believes that it holds.
#   A retention that comes with the object is taken without a word, and is not there afterwards.
# Output seen:
#   the second PUT with If-None-Match: * is answered 200
#   the object is now: second
#   Object Lock of an object that was put with COMPLIANCE: None
set -eu
place=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$place"' EXIT
script=$(realpath "$0")
cd "$place"
npm install --silent --no-audit --no-fund s3rver@3.7.1 > npm.log 2>&1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check boto3==1.43.11
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
node node_modules/s3rver/bin/s3rver.js --directory data --address 127.0.0.1 --port "$port" > server.log 2>&1 &
server=$!
cat > show.py <<'PYTHON'
import datetime, socket, sys, time
import boto3
from botocore.config import Config

port = int(sys.argv[1])
for _ in range(100):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            break
    time.sleep(0.1)
s3 = boto3.client(
    "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id="S3RVER",
    aws_secret_access_key="S3RVER", config=Config(s3={"addressing_style": "path"}),
)
s3.create_bucket(Bucket="bucket")
s3.put_object(Bucket="bucket", Key="k", Body=b"first", IfNoneMatch="*")
second = s3.put_object(Bucket="bucket", Key="k", Body=b"second", IfNoneMatch="*")
print(f"the second PUT with If-None-Match: * is answered {second['ResponseMetadata']['HTTPStatusCode']}")
print(f"the object is now: {s3.get_object(Bucket='bucket', Key='k')['Body'].read().decode()}")
s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
until = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)
s3.put_object(Bucket="locked", Key="k", Body=b"x", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
print(f"Object Lock of an object that was put with COMPLIANCE: {s3.head_object(Bucket='locked', Key='k').get('ObjectLockMode')}")
PYTHON
venv/bin/python show.py "$port" | tee seen
sed -n 's/^#   \(the second PUT .*\|the object is now.*\|Object Lock of .*\)/\1/p' "$script" | diff - seen
