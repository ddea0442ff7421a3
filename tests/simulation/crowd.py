"""The players at work: clients of the API that take images, answer them, and do as they are told when they are refused."""

import asyncio
import base64
import hashlib
import json
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

AT_ONCE = 8
TAKEN_AT_ONCE = 10
PARTS = 20
# Tries of one request, pops without an image that can be answered, the longest wait that is kept to, and the wait
# for a service that does not answer at all.
MOST_TRIES, MOST_POPS, LONGEST_WAIT, PAUSE_SECONDS = 8, 12, 30.0, 1.0
AGAIN_LATER = frozenset({429, 503})
TOLD_TO_WAIT = frozenset({"RateLimited", "TooManyLeases"})


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that the service has acknowledged."""

    player: int
    image_id: str
    place: int
    aesthetic: int
    is_honest: bool
    reward: int


@dataclass
class Diary:
    """What happened: answers that were acknowledged, and how often each kind of client saw which status."""

    given: list = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    without_image: int = 0
    seconds: float = 0.0

    def count(self, player, operation, status):
        self.statuses["honest" if player.kind == "honest" else "scripts", operation, status] += 1

    def unexpected(self):
        """Return the statuses that no client of a service in order meets, with how often."""
        return {
            key: n for key, n in self.statuses.items() if (key[2] >= 500 and key[2] != 503) or key[2] in {0, 400, 401}
        }


class Client:
    """One player's program: it takes some images at once and answers them one after the other."""

    def __init__(self, http, player, stage, number, diary):
        self.http, self.player, self.stage, self.number, self.diary = http, player, stage, number, diary
        self.hand = deque()
        self.turn = asyncio.Lock()
        self.headers = {
            "apikey": stage.keys[number],
            "Client-Agent": "simulation:1:nobody",
            "X-Forwarded-For": stage.addresses[number],
        }

    async def take_turn(self):
        """Answer one image. A client does one thing after the other."""
        async with self.turn:
            if not self.hand and not await self._take_images():
                self.diary.without_image += 1
                return
            await self._answer(self.hand.popleft())

    async def _take_images(self):
        """Take images until some can be answered, and give the others back. Return whether there are any."""
        for _ in range(MOST_POPS):
            response = await self._ask("take", "GET", f"/rating/new?count={TAKEN_AT_ONCE}")
            if response is None or response.status_code != 200:
                return False
            self._sort(response.json()["images"])
            if self.back:
                await self._ask("give back", "DELETE", "/rating/lease", {"leases": [i["lease"] for i in self.back]})
            if self.hand:
                return True
        return False

    def _sort(self, images):
        """Keep what can be answered, of each item the first."""
        items, self.back = set(), []
        for image in images:
            subject = self.stage.subjects[image["id"]]
            if self.player.may_answer(subject) and subject.item not in items:
                items.add(subject.item)
                self.hand.append(image)
            else:
                self.back.append(image)

    async def _answer(self, image):
        place = self.player.given
        answer = self.player.answer(self.stage.subjects[image["id"]])
        body = {"rating": answer.aesthetic, "lease": image["lease"]}
        if answer.artifacts is not None:
            body["artifacts"] = answer.artifacts
        response = await self._ask("answer", "POST", f"/rating/{image['id']}", body, key=f"{self.number}-{place}")
        if response is not None and response.status_code == 201:
            reward = response.json()["reward"]
            given = Given(self.number, image["id"], place, answer.aesthetic, answer.is_honest, reward)
            self.diary.given.append(given)

    async def _ask(self, operation, method, path, body=None, *, key=None):
        """Send a request until it is answered for good: a key makes the repetition harmless."""
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        for _ in range(MOST_TRIES):
            try:
                response = await self.http.request(method, f"/api/v1{path}", headers=headers, json=body)
            except httpx.TransportError:
                self.diary.count(self.player, operation, 0)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            self.diary.count(self.player, operation, response.status_code)
            if challenge := _challenge_in(response):
                body = (body or {}) | {"altcha": solve(challenge)}
            elif _must_wait(response):
                await asyncio.sleep(min(float(response.headers.get("Retry-After", "1")), LONGEST_WAIT))
            else:
                return response
        return None


def _challenge_in(response):
    return response.json().get("challenge") if response.status_code in {403, 428} else None


def _must_wait(response):
    if response.status_code == 403:
        # Old clients go on to the next image at a 403, and so this is how a POST is told to wait.
        return response.json().get("rc") in TOLD_TO_WAIT
    return response.status_code in AGAIN_LATER


def solve(challenge):
    """Return the proof of work that docs/api.md describes."""
    salt, wanted = challenge["salt"], challenge["challenge"]
    numbers = range(challenge["maxnumber"] + 1)
    number = next(n for n in numbers if hashlib.sha256(f"{salt}{n}".encode()).hexdigest() == wanted)
    told = {name: challenge[name] for name in ("algorithm", "challenge", "salt", "signature")}
    return base64.b64encode(json.dumps(told | {"number": number}).encode()).decode()


def play(base_url, players, stage, schedule, *, pace, between):
    """Let everybody take their turns, ``pace`` of them a second in all; return the diary.

    ``between`` is called twenty times on the way, with how far it has come.
    """
    # A thread of its own: who calls may be in a running loop already.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _play(base_url, players, stage, schedule, pace, between)).result()


async def _play(base_url, players, stage, schedule, pace, between):
    diary, clock = Diary(), asyncio.get_running_loop().time
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=base_url, limits=limits, timeout=30) as http:
        clients = [Client(http, player, stage, number, diary) for number, player in enumerate(players)]
        turns, start = iter(enumerate(schedule)), clock()

        async def work():
            for place, number in turns:
                await asyncio.sleep(max(0.0, start + place / pace - clock()))
                await clients[number].take_turn()
                if place and place % max(1, len(schedule) // PARTS) == 0:
                    between(f"{place:,} of {len(schedule):,} turns after {clock() - start:.0f} s")

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        diary.seconds = clock() - start
    return diary
