"""A finger: strokes and long presses as the browser gets them from a touch screen."""


class Finger:
    """One finger on a page that was opened with `has_touch`."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)
        box = page.locator(".stage").bounding_box()
        self.x, self.y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def stroke(self, across, down, *, steps=5):
        """Draw a line from the middle of the picture and let go."""
        self.put_down()
        for step in range(1, steps + 1):
            self._send("touchMove", self.x + across * step / steps, self.y + down * step / steps)
        self.lift()

    def put_down(self):
        self._send("touchStart", self.x, self.y)

    def lift(self):
        self._send("touchEnd")

    def _send(self, kind, *place):
        points = [dict(zip("xy", place, strict=True))] if place else []
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
