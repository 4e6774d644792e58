"""Routes that tell whatever goes wrong in the one shape, whichever application they are part of."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from nearer.aid.api.errors import answer_to


class OneShape(APIRoute):
    """A route of the desk."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own handler, with what it raises as an answer."""
        plain = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await plain(request)
            except Exception as error:
                answer = answer_to(error)
                if answer is None:
                    raise
                return answer

        return handled
