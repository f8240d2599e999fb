"""The content of the fixture `catalogue`: a shop's life, ended by `kill -9` in the middle of everything."""

import base64
import hashlib
import hmac
import json
import time

from . import facts, reading
from .service import Service, say, until
from .settings import PRODUCTS, SEED, SOURCE, SOURCE_SECRET

ALL_SCOPES = ("catalog:read", "catalog:write", "webhooks:read", "admin")
NEW = (
    {"name": "रत्नागिरी हापुस आम", "description": "पेड़ पर पका हुआ", "category": "फल", "price": "0.00",
     "unit": "१ किलो", "producer": "हरित घाटी"},
    {"name": "Crème fraîche d’Isigny", "description": "Zażółć gęślą jaźń", "category": "Crèmerie",
     "price": "9999999999.99", "unit": "200 g", "producer": "Läcker & Söhne", "stock": 4294967295},
    {"name": "ÅNGSTRÖM ﬁne İzmir figs 🥭", "description": "one\nline, \"quotes\", back\\slash, %_ 100 %",
     "category": "Fruits", "price": "120.05", "currency": "EUR", "unit": "1 kg", "producer": "O'Neil; DROP TABLE"},
)


def signed(event, payload):
    """Returns the header fields of Standard Webhooks."""
    at = str(int(time.time()))
    key = base64.b64decode(SOURCE_SECRET.removeprefix("whsec_"))
    mac = hmac.new(key, f"{event}.{at}.".encode() + payload.encode(), hashlib.sha256).digest()
    return {"webhook_id": event, "webhook_timestamp": at, "webhook_signature": "v1," + base64.b64encode(mac).decode()}


class Shop:
    """A database, the binary that owns it, and what has been done so far."""

    def __init__(self, engine, binary, partners):
        self.engine, self.binary, self.partners = engine, binary, partners
        self.service = self.token = None
        self.events, self.facts = {}, {}

    def serve(self, **settings):
        """Starts the service and gets a token."""
        self.service = Service(self.binary, **{f"FARMLOKAL_{name}": value for name, value in settings.items()})
        self.token = self.service.token(*self.operator)

    def api(self, status, method, path, body=None, **fields):
        """Sends one request as the operator."""
        return self.service.must(status, method, path, body, self.token, **fields)

    # Before the first start.

    def clients(self):
        """Adds a client of each kind by the command line."""
        def scopes(*names):
            return [part for name in names for part in ("--scope", name)]
        self.operator = self.binary.credentials("add", "Operator", *scopes(*ALL_SCOPES))
        shop, first = self.binary.credentials("add", "दुकान – Shop", *scopes("catalog:write"))
        _, second = self.binary.credentials("rotate", shop, "--keep", "86400")
        reader, old = self.binary.credentials("add", "Reader", *scopes("catalog:read", "webhooks:read"))
        _, new = self.binary.credentials("rotate", reader, "--keep", "0")
        former, lost = self.binary.credentials("add", "Former partner", *scopes("catalog:write"))
        self.binary.run("client", "remove", former)
        self.facts["clients"] = [
            {"id": self.operator[0], "name": "Operator", "good": [self.operator[1]], "refused": []},
            {"id": shop, "name": "दुकान – Shop", "good": [first, second], "refused": []},
            {"id": reader, "name": "Reader", "good": [new], "refused": [old]},
            {"id": former, "name": "Former partner", "good": [], "refused": [lost]},
        ]

    # The first process: everything is tried once only.

    def subscriptions(self):
        """Subscribes one receiver of each temper."""
        made = {}
        for mood in self.partners.moods:
            body = {"url": f"{self.partners.url}/receivers/{mood}"}
            if mood == "deletions":
                body["types"] = ["product.deleted"]
            key = f"subscribe-{mood}"
            made[mood] = self.api(201, "POST", "/v1/subscriptions", body, Idempotency_Key=key).json()
        removed = self.api(201, "POST", "/v1/subscriptions", {"url": f"{self.partners.url}/receivers/accepts"}).json()
        self.api(204, "DELETE", f"/v1/subscriptions/{removed['id']}")
        self.facts["subscriptions"] = {
            mood: {"id": one["id"], "secret": one["secret"], "url": one["url"]} for mood, one in made.items()}
        self.facts["unsubscribed"] = removed["id"]

    def products(self):
        """Creates, changes and deletes products."""
        body, key = json.dumps(NEW[0], ensure_ascii=False), "create-1"
        answer = self.api(201, "POST", "/v1/products", body, Idempotency_Key=key)
        self.facts["idempotency"] = {"key": key, "request": body, "status": 201, "answer": answer.text,
                                     "location": answer.fields["Location"], "etag": answer.fields["ETag"]}
        self.written = [answer.json()["id"]]
        self.written += [self.api(201, "POST", "/v1/products", one).json()["id"] for one in NEW[1:]]
        for number, patch in ((1, {"price": "55.55"}), (1, {"name": "Ragi ळ flour"}), (2, {"stock": 7}),
                              (3, {"category": "Crèmerie"}), (4, {"description": ""})):
            self.api(200, "PATCH", f"/v1/products/{number}", patch)
        last = self.api(201, "POST", "/v1/products", NEW[2]).json()["id"]
        self.facts["deleted"] = [5, PRODUCTS, last]
        for number in self.facts["deleted"]:
            self.api(204, "DELETE", f"/v1/products/{number}")

    def send(self, event, kind, data, at="2025-01-01T00:00:00Z"):
        """Sends an event and waits for what comes of it."""
        payload = json.dumps({"type": kind, "timestamp": at, "data": data}, ensure_ascii=False)
        self.service.must(202, "POST", f"/v1/webhooks/{SOURCE}", payload, **signed(event, payload))
        path = f"/v1/webhooks/{SOURCE}/events/{event}"
        def settled():
            found = self.api(200, "GET", path).json()
            return found if found["state"] != "pending" or found["attempts"] else None
        found = until(settled, f"event {event}")
        self.events[event] = {"payload": payload, "state": found["state"], "outcome": found.get("outcome", "")}

    def inbox(self):
        """Has events processed, ignored and parked; with a single try each."""
        jar = {"name": "Jar of ghee", "category": "Dairy", "price": "410.00", "unit": "500 g", "producer": "Hub"}
        self.send("evt-made", "product.upserted", {"externalId": "A/1", **jar, "stock": 3})
        self.send("evt-priced", "price.changed", {"externalId": "A/1", "price": "425.50"}, "2025-01-02T00:00:00Z")
        self.send("evt-late", "price.changed", {"externalId": "A/1", "price": "1.00"}, "2024-12-31T00:00:00Z")
        self.send("evt-stocked", "stock.changed", {"id": 6, "stock": 66})
        self.send("evt-second", "product.upserted", {"externalId": "A/2", **jar})
        self.send("evt-deleted", "product.deleted", {"externalId": "A/2"}, "2025-01-03T00:00:00Z")
        self.send("evt-wrong", "price.changed", {"externalId": "A/1", "price": "-1.00"})
        self.send("evt-early", "stock.changed", {"externalId": "B/1", "stock": 21})
        self.send("evt-ignored", "order.placed", {"order": 1})
        self.service.must(200, "POST", "/webhook", {"eventId": "original-1", "data": "x"})

    def sync(self, supplier, ended):
        """Asks for a sync and waits until it is `ended`, or stuck on its second page."""
        sync = self.api(202, "POST", f"/v1/suppliers/{supplier}/sync").json()
        path = f"/v1/suppliers/{supplier}/syncs/{sync['id']}"
        if ended == "running":
            until(self.partners.river_waits.is_set, "the second page")
        return until(lambda: (now := self.api(200, "GET", path).json())["state"] == ended and now, f"sync of {supplier}")

    def syncs(self):
        """Pulls two suppliers: twice with success, once without."""
        done = [self.sync("green-valley", "done")]
        self.partners.green_price = "101.00"
        self.facts["syncs"] = [*done, self.sync("green-valley", "done"), self.sync("hill-farm", "failed")]

    def delivered(self):
        """Waits until every receiver has been asked, and the one that is gone is disabled."""
        made = self.facts["subscriptions"]
        def shown(mood):
            return self.api(200, "GET", f"/v1/subscriptions/{made[mood]['id']}").json()
        def states(mood):
            return {one["state"] for one in shown(mood)["deliveries"]}
        until(lambda: states("accepts") == {"delivered"} and states("deletions") == {"delivered"}, "deliveries")
        until(lambda: all(self.partners.asked[mood] for mood in ("refuses", "busy")), "refused deliveries")
        until(lambda: shown("gone")["state"] == "disabled", "the receiver that is gone")

    # The second and the third process.

    def second(self):
        """Leaves an event and a sync under way, and writes down every cursor and answer."""
        self.send("evt-pending", "stock.changed", {"externalId": "C/1", "stock": 77}, "2025-02-02T00:00:00Z")
        late = {"name": "Zz late arrival", "category": "Zz Late", "price": "9500000.00", "unit": "1", "producer": "Hub"}
        self.send("evt-before", "product.upserted", {"externalId": "C/1", **late, "stock": 1})
        self.facts["syncs"].append(self.sync("river-side", "running"))
        # Removed by the third process, behind every other product in every order.
        doomed = {**late, "name": "Zz doomed", "price": "9600000.00"}
        self.doomed = self.api(201, "POST", "/v1/products", doomed).json()["id"]
        for mood in ("accepts", "deletions"):
            self.partners.moods[mood] = (503, {})
        self.api(200, "PATCH", "/v1/products/9", {"stock": 99})
        refused = f"/v1/subscriptions/{self.facts['subscriptions']['accepts']['id']}"
        until(lambda: any(one.get("lastStatus") == 503 for one in self.api(200, "GET", refused).json()["deliveries"]),
              "a due delivery")
        self.service.indexed()
        self.facts["scans"] = reading.ordered(self.service) + reading.searched(self.service, "index")
        self.facts["listings"] = reading.listings(self.service, self.token, SOURCE)
        self.facts["token"] = self.token
        self.facts["jwks"] = self.service.must(200, "GET", "/.well-known/jwks.json").json()

    def third(self):
        """Changes products while the fan-out still belongs to the process that was killed."""
        for number in (10, 11):
            self.api(200, "PATCH", f"/v1/products/{number}", {"stock": 1000 + number})
        self.api(204, "DELETE", f"/v1/products/{self.doomed}")
        self.facts["deleted"].append(self.doomed)
        self.facts["scans"] += reading.searched(self.service, "sql")
        self.facts["samples"] = reading.samples(self.service, [*self.written, *range(1, 5), *range(6, 60)])
        self.facts["categories"] = reading.categories(self.service)


def live(engine, binary, partners):
    """Creates the database and returns its facts."""
    shop = Shop(engine, binary, partners)
    binary.run("migrate")
    binary.run("seed", "--rows", str(PRODUCTS), "--seed", str(SEED))
    shop.clients()
    shop.serve(WEBHOOKS__MAX_ATTEMPTS="1", WEBHOOKS__RETRY_FIRST_MS="10")
    for step in (shop.subscriptions, shop.products, shop.inbox, shop.syncs, shop.delivered):
        say(step.__name__)
        step()
    shop.service.end()
    binary.run("key", "rotate")
    shop.serve(WEBHOOKS__RETRY_FIRST_MS="60000")
    shop.second()
    shop.service.kill()
    shop.serve(WEBHOOKS__RETRY_FIRST_MS="60000", SEARCH__INDEX="false")
    shop.third()
    shop.service.kill()
    changes = facts.changes(engine)
    if len(changes["waiting"]) < 3:
        raise SystemExit("the fan-out was faster than the third process; run it again")
    return shop.facts | {
        "events": shop.events, "changes": changes, "deliveries": facts.deliveries(engine),
        "mappings": facts.mappings(engine), "counts": facts.counts(engine), "seeding": facts.seeding(engine)}
