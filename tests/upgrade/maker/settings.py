"""Constants of the fixtures. Every secret here is a test secret and is published on purpose."""

import re

CURSOR_SECRET = "cursor secret of the upgrade fixtures"
KEY_SECRET = "key secret of the upgrade fixtures, published"
SOURCE = "farm-hub"
SOURCE_SECRET = "whsec_dXBncmFkZSBmaXh0dXJlcywgbm90IGEgc2VjcmV0"
ISSUER = "https://upgrade.example"
SUPPLIER_SECRET = "supplier secret of the upgrade fixtures"
SUPPLIERS = ("green-valley", "hill-farm", "river-side")

PRODUCTS = 2_000
SEED = 7
# Products a transaction of the interrupted seeding: small, so that a kill lands between two of them.
BATCH = 5


def environment(work, database, partners, supplier_names=SUPPLIERS):
    """Returns the settings every command of the fixture runs with."""
    settings = {
        "HTTP__CURSOR_SECRET": CURSOR_SECRET,
        "OAUTH__KEY_SECRET": KEY_SECRET,
        "OAUTH__ISSUER": ISSUER,
        "DATA__DIR": str(work),
        "DATABASE__URL": database,
        "WEBHOOKS__SOURCES": f"{SOURCE}={SOURCE_SECRET}",
        "WEBHOOKS__POLL_MS": "20",
        "SUBSCRIPTIONS__ALLOW_HTTP": "true",
        "SUBSCRIPTIONS__ALLOW_NETWORKS": "127.0.0.0/8",
        "SUBSCRIPTIONS__POLL_MS": "20",
        # Never the last try: a delivery that is refused stays due.
        "SUBSCRIPTIONS__SCHEDULE": " ".join(["2s"] * 60),
        "HTTP__DRAIN_DELAY_MS": "0",
        "TRACE__PER_SECOND": "0",
    }
    for name in supplier_names:
        key = "SUPPLIERS__" + re.sub("-", "_", name).upper()
        settings |= {
            f"{key}__BASE_URL": f"{partners}/suppliers/{name}",
            f"{key}__TOKEN_URL": f"{partners}/suppliers/token",
            f"{key}__CLIENT_ID": "farmlokal",
            f"{key}__CLIENT_SECRET": SUPPLIER_SECRET,
            f"{key}__PAGE_SIZE": "20",
            # Longer than the maker waits before it kills the service in the middle of a page.
            f"{key}__TIMEOUT_MS": "30000",
            f"{key}__DEADLINE_MS": "30000",
        }
    return {f"FARMLOKAL_{key}": value for key, value in settings.items()}
