"""Signs and sends with the senders' own libraries; prints one JSON line for each request.

RR is the server, KEY an API key, SECRET the secret of webhooks (whsec_...), NOW the server's time in seconds.
"""

import base64
import datetime
import json
import os
import urllib.error
import urllib.request

import standardwebhooks
import stripe
import svix.webhooks
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

RR, KEY, SECRET, NOW = (os.environ[name] for name in ("RR", "KEY", "SECRET", "NOW"))
AT = datetime.datetime.fromtimestamp(int(NOW), tz=datetime.timezone.utc)


def send(name, body, headers):
    """Posts bytes and tells what became of them."""
    body = body if isinstance(body, bytes) else body.encode()
    headers = {"content-type": "application/json", **headers, "x-api-key": KEY}
    request = urllib.request.Request(RR + "/api/devops/webhook", body, headers, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        status, text = refusal.code, refusal.read()
    print(json.dumps({"name": name, "status": status, "answer": json.loads(text)}), flush=True)


def plain_signature(body):
    """The form of this server's own, so that what is not about signatures passes as well."""
    import hashlib
    import hmac

    body = body if isinstance(body, bytes) else body.encode()
    return {"x-webhook-signature": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


def signed_by_standard_webhooks():
    body = json.dumps({"type": "peer.standard", "timestamp": AT.isoformat(), "data": {"é": 1.5}})
    signature = standardwebhooks.Webhook(SECRET).sign("msg_standard", AT, body)
    ids = {"webhook-id": "msg_standard", "webhook-timestamp": NOW, "webhook-signature": signature}
    send("standardwebhooks", body, ids)
    send("standardwebhooks, changed", body.replace("1.5", "1.6"), {**ids, "webhook-id": "msg_other"})


def signed_by_svix():
    body = json.dumps({"type": "peer.svix", "data": {}}, separators=(",", ":"))
    signature = svix.webhooks.Webhook(SECRET).sign("msg_svix", AT, body)
    rolled = "v1," + base64.b64encode(bytes(32)).decode() + " " + signature
    send("svix", body, {"svix-id": "msg_svix", "svix-timestamp": NOW, "svix-signature": rolled})
    old = str(int(NOW) - 301)
    late = svix.webhooks.Webhook(SECRET).sign("msg_late", AT - datetime.timedelta(seconds=301), body)
    send("svix, late", body, {"svix-id": "msg_late", "svix-timestamp": old, "svix-signature": late})


def signed_by_stripe():
    body = json.dumps({"event_type": "peer.stripe", "id": "evt_1", "object": "event"}, indent=2)
    v1 = stripe.WebhookSignature._compute_signature(NOW + "." + body, SECRET)
    header = f"t={NOW},v1={v1},v0={v1}"
    stripe.WebhookSignature.verify_header(body, header, SECRET, tolerance=None)
    send("stripe", body, {"stripe-signature": header})


def sent_by_cloudevents():
    attributes = {
        "id": "ce-1", "source": "/peers/é", "type": "peer.cloudevents", "specversion": "1.0",
        "time": AT, "subject": "a b \"c\" 100%", "datacontenttype": "application/json",
    }
    message = to_binary(CloudEvent(attributes, {"answer": 42, "text": "€"}), JSONFormat())
    send("cloudevents, binary", message.body, {**message.headers, **plain_signature(message.body)})
    event = CloudEvent({**attributes, "id": "ce-2"}, {"answer": 42, "text": "€"})
    message = to_structured(event, JSONFormat())
    send("cloudevents, structured", message.body, {**message.headers, **plain_signature(message.body)})


signed_by_standard_webhooks()
signed_by_svix()
signed_by_stripe()
sent_by_cloudevents()
