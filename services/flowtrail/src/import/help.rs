//! What `flowtrail import --help` says after the options.

/// How files may come, what is told, the exit codes, examples.
pub(super) const MORE: &str = "\
Files may be packed with gzip, zstd or xz. Archives in Parquet are read as well. JSON may come as one object a line, as arrays, or as the object around an array that a service stores or answers with. A page of a list that others follow is imported and told of, when those are not imported with it.

Importing a file twice changes nothing, so an import that was interrupted is simply run again. The last line says how many events were published, how many the account had already, how many records were skipped because there is no event in them, and how many were rejected. What is rejected is told of as `FILE:LINE: field: reason`, and the rest is imported.

Exit codes:
  0  all of it was imported
  1  something was rejected, or the import failed; what was published until then stays
  2  the command line is wrong

Examples:

  Connections that Zeek saw; records of other logs in the same files are skipped:
    flowtrail import zeek-conn /var/log/zeek/conn.*.log.gz

  CloudTrail, as it lies in S3:
    aws s3 cp --recursive s3://my-trail/AWSLogs/ trail/
    find trail -name '*.json.gz' -exec flowtrail import aws-cloudtrail {} +

  What CloudTrail knows without a bucket:
    aws cloudtrail lookup-events --output json | flowtrail import aws-cloudtrail -

  Flow logs of a VPC; all that cannot be read is listed in a file:
    flowtrail import aws-vpc-flow --rejects bad.txt flows/*.log.gz

  The history of a NetBird, or of another Flowtrail:
    flowtrail import netbird --url https://api.netbird.io --token $TOKEN

  The same from files:
    curl -H \"Authorization: Token $TOKEN\" $URL/api/events/audit >audit.json
    flowtrail import audit audit.json
    curl -H \"Authorization: Token $TOKEN\" \"$URL/api/events/network-traffic?page_size=50000\" >traffic.json
    flowtrail import traffic traffic.json

  What an integration has archived; each format takes its events out of the same files:
    aws s3 cp --recursive s3://my-archive/ archive/
    find archive -type f -exec flowtrail import audit {} +
    find archive -type f -exec flowtrail import traffic {} +

  An event of your own:
    echo '{\"id\":\"1\",\"time\":\"2024-01-31T12:00:00Z\",\"event_type\":\"user.login\"}' | flowtrail import audit -";
