"""Facts about a database that no API tells, read from its tables while no process has it open."""

import hashlib

from .engines import TABLES


# Times that the service compares with its clock. Tests move them, so that a fixture is always as old when it is opened;
# products and events keep theirs.
TIMES = {
    "product_changes": ["at"], "oauth_clients": ["previous_until", "created_at", "disabled_at"],
    "oauth_keys": ["created_at", "retired_at"], "webhook_events": ["next_at", "received_at", "processed_at"],
    "idempotency_keys": ["lease_until", "created_at"],
    "supplier_syncs": ["requested_at", "started_at", "finished_at"], "supplier_leases": ["lent_until"],
    "subscriptions": ["not_before", "created_at"], "deliveries": ["next_at", "created_at"],
    "change_fan_out": ["lease_until"],
}


def number(engine, sql):
    """Returns the only value of a statement as a number."""
    return int(engine.rows(sql)[0][0])


def counts(engine):
    """Returns how many rows each table has."""
    return {table: number(engine, f"SELECT COUNT(*) FROM {table}") for table in TABLES}


def changes(engine):
    """Returns the log of changes: its bounds, how far it was passed on, and what has not been."""
    position = number(engine, "SELECT position FROM change_fan_out")
    first, last = engine.rows("SELECT MIN(number), MAX(number) FROM product_changes")[0]
    identity = engine.rows("SELECT identity FROM catalogue")[0][0]
    rows = engine.rows(f"SELECT number, product_id FROM product_changes WHERE number > {position} ORDER BY number")
    waiting = [{"event": f"evt_{identity}_{row[0]}", "product": int(row[1])} for row in rows if row[1]]
    return {"identity": identity, "first": int(first), "last": int(last), "position": position, "waiting": waiting}


def deliveries(engine):
    """Returns every delivery with the SHA-256 of the bytes that are sent."""
    rows = engine.rows("SELECT subscription_id, event_id, kind, product_id, state, hex(payload) FROM deliveries ORDER BY id")
    names = ("subscription", "event", "kind", "product", "state", "payload")
    found = [dict(zip(names, row)) for row in rows]
    for one in found:
        one |= {"subscription": int(one["subscription"]), "product": int(one["product"]),
                "payload": hashlib.sha256(bytes.fromhex(one["payload"])).hexdigest()}
    return found


def mappings(engine):
    """Returns which product each source means by its own ids."""
    rows = engine.rows("SELECT source, external_id, product_id FROM external_products ORDER BY source, external_id")
    return [{"source": source, "externalId": external, "product": int(product)} for source, external, product in rows]


def seeding(engine):
    """Returns how far the seeding is."""
    seed, wanted, loaded, finished = map(int, engine.rows("SELECT seed, wanted, loaded, finished FROM seed_run")[0])
    return {"seed": seed, "wanted": wanted, "loaded": loaded, "finished": bool(finished)}
