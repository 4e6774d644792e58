"""
Real code in a made-up world that a seed decides: whose clock is off, which message is lost, who crashes when.

``world`` has the hub, three centres, desks that go away and a network that drops, doubles, delays and reorders;
``reference`` has what physically happened, in dictionaries, and holds the ledger against it.
"""
