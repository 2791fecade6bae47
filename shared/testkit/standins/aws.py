"""Amazon's services as moto stands in for them: makes what tests need, and reads back what arrived.

setup URL    makes a bucket, a delivery stream and users, then turns on the checking of signatures and policies.
objects URL BUCKET ACCESS_KEY SECRET_KEY    prints every object: its name, its headers, its text and how long it is kept.
"""

import gzip
import json
import sys
import urllib.request

import boto3
from botocore.config import Config


def client(service, url, access_key="setup", secret_key="setup"):
    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.client(
        service, endpoint_url=url, region_name="eu-central-1", config=config,
        aws_access_key_id=access_key, aws_secret_access_key=secret_key,
    )


def user(iam, name, actions):
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}


def setup(url):
    s3, iam, firehose = client("s3", url), client("iam", url), client("firehose", url)
    for bucket in ["logs", "records"]:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.create_bucket(
        Bucket="worm", ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    destination = {"RoleARN": "arn:aws:iam::123456789012:role/any", "BucketARN": "arn:aws:s3:::records"}
    firehose.create_delivery_stream(DeliveryStreamName="events", ExtendedS3DestinationConfiguration=destination)
    # What NetBird's own guide allows, and nothing else.
    writer = user(iam, "writer", ["s3:PutObject", "s3:PutObjectAcl", "firehose:PutRecord", "firehose:PutRecordBatch"])
    stranger = user(iam, "stranger", ["iam:GetUser"])
    reader = user(iam, "reader", ["s3:GetObject", "s3:ListBucket"])
    # The proxy passes a part of a request on, which it must sign itself.
    proxy = user(iam, "proxy", ["firehose:PutRecordBatch"])
    headers = {"Content-Type": "application/octet-stream"}
    urllib.request.urlopen(urllib.request.Request(url + "/moto-api/reset-auth", data=b"0", headers=headers)).read()
    print(json.dumps({"writer": writer, "stranger": stranger, "reader": reader, "proxy": proxy}))


def objects(url, bucket, access_key, secret_key):
    s3 = client("s3", url, access_key, secret_key)
    found = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            answer = s3.get_object(Bucket=bucket, Key=entry["Key"])
            body = answer["Body"].read()
            is_packed = body[:2] == b"\x1f\x8b"
            text = gzip.decompress(body).decode() if is_packed else body.decode()
            kinds = [answer["ContentType"], answer.get("ContentEncoding", "")]
            lock = [answer.get("ObjectLockMode"), str(answer.get("ObjectLockRetainUntilDate"))]
            found.append({"key": entry["Key"], "kinds": kinds, "text": text, "lock": lock})
    print(json.dumps(found))


if __name__ == "__main__":
    {"setup": setup, "objects": objects}[sys.argv[1]](*sys.argv[2:])
