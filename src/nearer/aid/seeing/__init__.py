"""
Looking back over a span of days: flows of goods, movement cards, who was served with what, and what that says.

A day is the day that it was at the site where something happened. Whatever was reversed is left out from both ends:
the reversed entry and the reversal.
"""

from nearer.aid.seeing.flows import flows, stock_card
from nearer.aid.seeing.indicators import Indicators, indicators
from nearer.aid.seeing.span import Span, span_of

__all__ = ["Indicators", "Span", "flows", "indicators", "span_of", "stock_card"]
