"""The other side, on loopback: receivers of deliveries, and three suppliers with OAuth tokens and pages."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


def offer(prefix, number, price, category):
    """Returns an offer as a supplier sends it."""
    return {
        "id": f"{prefix}-{number}", "name": f"{prefix} {category} {number:02}", "category": category,
        "price": price, "unit": "1 kg", "producer": f"{prefix} Farm", "stock": number, "colour": "green",
    }


def paged(offers, cursor, size=20):
    """Returns the page at `cursor`."""
    start = int(cursor or 0)
    following = str(start + size) if start + size < len(offers) else None
    return {"data": offers[start:start + size], "nextCursor": following}


class Partners:
    """Receivers under `/receivers/…` and suppliers under `/suppliers/…`."""

    def __init__(self):
        self.moods = {"accepts": (204, {}), "refuses": (500, {}), "gone": (410, {}), "deletions": (204, {}),
                      "busy": (429, {"Retry-After": "120"})}
        self.asked = dict.fromkeys(self.moods, 0)
        self.green_price = "100.00"
        self.river_waits = threading.Event()
        self.ended = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        """Closes the port."""
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    def offers(self, supplier, cursor):
        """Returns the page of `supplier` at `cursor`, or `None` for one that never comes."""
        if supplier == "green-valley":
            offers = [offer("Green", number, "100.00", "Pulses") for number in range(25)]
            for changed in offers[:3]:
                changed["price"] = self.green_price
            return paged([*offers, {"id": "Green-wrong", "price": 1.5}], cursor)
        if supplier == "hill-farm":
            offers = [offer("Hill", number, "210.50", "Honey") for number in range(5)]
            return {"data": offers if not cursor else [], "nextCursor": "again"}
        # Prices and names behind all others: what the rest of this sync brings later moves no page before it.
        offers = [offer("Zz River", number, f"90000{number:02}.00", "Zz Fish") for number in range(30)]
        if cursor:
            self.river_waits.set()
            self.ended.wait()
            return None
        return paged(offers, cursor)

    def handler(partners):
        """Returns the class that answers requests."""
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, status, body=None, fields=None):
                body = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **(fields or {})}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                last = self.path.rsplit("/", 1)[-1]
                if last == "token":
                    self.answer(200, {"access_token": "supplier-token", "token_type": "Bearer", "expires_in": 3600})
                else:
                    partners.asked[last] += 1
                    status, fields = partners.moods[last]
                    self.answer(status, fields=fields)

            def do_GET(self):
                url = urlsplit(self.path)
                page = partners.offers(url.path.split("/")[2], parse_qs(url.query).get("cursor", [""])[0])
                if page is not None:
                    self.answer(200, page)
        return Handler
