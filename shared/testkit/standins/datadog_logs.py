"""Sends a log with Datadog's own client: what its request looks like is what ours must look like.

datadog_logs.py URL API_KEY    The log stands on standard input, as a JSON object.
"""

import json
import sys

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.content_encoding import ContentEncoding
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem

configuration = Configuration(api_key={"apiKeyAuth": sys.argv[2]})
with ApiClient(configuration) as client:
    logs = LogsApi(client)
    # The intake is no server of the general configuration.
    logs._submit_log_endpoint.settings["servers"] = [{"url": sys.argv[1], "variables": {}}]
    logs.submit_log(HTTPLog([HTTPLogItem(**json.load(sys.stdin))]), content_encoding=ContentEncoding.GZIP)
