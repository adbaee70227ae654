# A receiver on Python's standard library: WEBHOOK_SECRET=whsec_… python3 receiver.py
import base64
import hashlib
import hmac
import json
import os
import re
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SECRET = os.environ.get("WEBHOOK_SECRET", "")
if not SECRET.startswith("whsec_"):
    raise SystemExit("WEBHOOK_SECRET: expected whsec_…")
KEY = base64.b64decode(SECRET.removeprefix("whsec_"))
INBOX = Path(os.environ.get("INBOX", "inbox"))
TOLERANCE_S = 5 * 60
MAX_BODY_BYTES = 2 * 1024 * 1024


def is_genuine(headers, body):
    """Whether the sender knows the secret, and has made this request within the last minutes."""
    event_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if event_id == "" or not re.fullmatch("[0-9]{1,12}", timestamp):
        return False
    if abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    content = f"{event_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(KEY, content, "sha256")).decode()
    # There are two while one secret replaces another.
    signatures = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(given.encode(), expected.encode()) for given in signatures)


def keep(name, body):
    """Keeps an event on disk, under a name that the same event has again; says whether it is new."""
    draft = INBOX / f"{uuid.uuid4()}.draft"
    try:
        with open(draft, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        # A link is made as a whole, or not at all where there is one.
        os.link(draft, INBOX / f"{name}.json")
        return True
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)


def handle(name):
    """What the event is for; it may fail and be done again."""
    event = json.loads((INBOX / f"{name}.json").read_bytes())
    print("handled", event["event"], json.dumps(event["data"]), flush=True)
    (INBOX / f"{name}.handled").touch()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        size = self.headers.get("content-length", "")
        if not size.isdigit() or int(size) > MAX_BODY_BYTES:
            return self.answer(413)
        body = self.rfile.read(int(size))
        if not is_genuine(self.headers, body):
            return self.answer(401)
        try:
            event_type = json.loads(body)["event"]
        except (ValueError, TypeError, KeyError):
            return self.answer(400)
        # An id is unique within its type.
        name = hashlib.sha256(f"{event_type}/{self.headers['webhook-id']}".encode()).hexdigest()
        try:
            is_new = keep(name, body)
        except OSError as error:
            self.log_error("%s", error)
            return self.answer(500)
        self.answer(204)
        if is_new:
            handle(name)

    def log_request(self, *_):
        """No line for each request."""

    def answer(self, status):
        self.send_response(status)
        self.end_headers()
        self.close_connection = True
        self.wfile.flush()


INBOX.mkdir(parents=True, exist_ok=True)
# What an earlier run has kept, and had no time for.
for kept in INBOX.glob("*.json"):
    if not kept.with_suffix(".handled").exists():
        handle(kept.stem)

server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Receiver)
print(f"listens on http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
