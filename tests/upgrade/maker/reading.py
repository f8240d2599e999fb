"""Pages, cursors and products as the old version answers them."""

import urllib.parse

SORTS = ("id", "-id", "price", "-price", "name", "-name", "createdAt", "-createdAt")
FILTERS = ({}, {"category": "Dairy"}, {"minPrice": "50.00", "maxPrice": "300.00"},
           {"category": "Fruits", "minPrice": "60.00", "maxPrice": "400.00"})
# The last but one is misspelt: only the index forgives that.
SEARCHES = ({"search": "organic"}, {"search": "mango", "sort": "price"}, {"search": "farm fresh", "sort": "-name"},
            {"search": "organic", "category": "Dairy"}, {"search": "orgnic"},
            {"search": "milk", "minPrice": "50.00", "maxPrice": "500.00", "sort": "-price"})
LIMIT = 10


def query(**parameters):
    """Returns `?name=value&…`."""
    return "?" + urllib.parse.urlencode(parameters)


def scan(service, parameters, by):
    """Reads two pages; returns the cursor between them and the ids of the second."""
    path = "/v1/products" + query(**parameters, limit=LIMIT)
    first = service.must(200, "GET", path).json()
    if "nextCursor" not in first:
        return None
    second = service.must(200, "GET", "/v1/products" + query(cursor=first["nextCursor"], limit=LIMIT)).json()
    return {
        "query": parameters, "by": by, "cursor": first["nextCursor"],
        "first": [product["id"] for product in first["data"]],
        "ids": [product["id"] for product in second["data"]],
    }


def ordered(service):
    """Returns the scans in every order, with and without filters."""
    return [scan(service, {**chosen, "sort": sort}, "table") for chosen in FILTERS for sort in SORTS]


def searched(service, by):
    """Returns the scans of searches that have a second page."""
    return [found for search in SEARCHES if (found := scan(service, search, by))]


def samples(service, ids):
    """Returns products as they are answered, with their entity tags."""
    answers = {number: service.must(200, "GET", f"/v1/products/{number}") for number in ids}
    return [{"id": number, "etag": answer.fields["ETag"], "body": answer.text} for number, answer in answers.items()]


def categories(service):
    """Returns the categories with their counts."""
    return service.must(200, "GET", "/v1/categories").json()["data"]


def listings(service, token, source):
    """Returns cursors of the listings that need an access token, with the ids that follow."""
    found = []
    for path, key in ((f"/v1/webhooks/{source}/events", "id"), ("/v1/subscriptions", "id")):
        first = service.must(200, "GET", path + query(limit=2), None, token).json()
        second = service.must(200, "GET", path + query(limit=2, cursor=first["nextCursor"]), None, token).json()
        found.append({"path": path, "cursor": first["nextCursor"], "ids": [one[key] for one in second["data"]]})
    return found
