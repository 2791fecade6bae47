"""Checks requests with the reference library of Standard Webhooks: reads [secret, {headers}, body] lines, each a JSON array."""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

count = 0
for line in sys.stdin:
    secret, headers, body = json.loads(line)
    Webhook(secret).verify(body, headers)
    try:
        Webhook(secret).verify(body + " ", headers)
    except WebhookVerificationError:
        count += 1
    else:
        sys.exit("a body that was tampered with is verified")
print(count)
