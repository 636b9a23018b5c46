"""
A sealed recording as a plan: its frames at their times, its gaps as breaks.

Within a segment time is the monotonic clock's; between two it can only be the wall
clock's: the process may have been another one, on another boot.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from pathlib import Path

from toolkit.bus.live_state import Earlier
from toolkit.model.event import Like, ViewerCount
from toolkit.model.frame import FrameKind
from toolkit.model.plan import Break, Plan, PlannedFrame
from toolkit.model.recording import Cause, Segment
from toolkit.replay.clip import breaks_between
from toolkit.replay.priming import Priming
from toolkit.replay.timeline import Marker, Timeline
from toolkit.store.playable import Before, FrameTime, open_playable
from toolkit.store.recorded import RecordedFrame

__all__ = ["RecordingPlan"]

BREAK_MIN_NS = 1_000_000
"""A gap takes time even where the wall clock was set back in it."""
WARM_UP_FRAMES = 64
"""Played unheard before the place of a seek: enough to know the usual delay of comments."""


class RecordingPlan:
    """
    What one recording has to play. Nothing stays open between two calls.

    Attributes:
        name: Id of the recording.
        duration_s: From the first frame to the end of the last segment.
        breaks: Its gaps; empty if they are healed.
    """

    def __init__(self, path: Path, *, heals_gaps: bool = False, idle_max_s: float | None = None) -> None:
        """
        Read when its frames came: a second per million frames.

        Args:
            path: A sealed recording.
            heals_gaps: Cut gaps to nothing, as if the connection had held.
            idle_max_s: Longest silence, gaps included, that is played as it was;
                longer ones are shortened to it. None for all as it was.

        Raises:
            RecordingError: It cannot be read.
        """
        self.name = path.stem
        self._path = path
        self._heals_gaps, self._idle_max_s = heals_gaps, idle_max_s
        self._numbers, self._at_s = array("q"), array("d")
        with open_playable(path) as playable:
            segments = playable.segments()
            self._breaks, end_ns = self._lay_out(playable.times(), segments, idle_max_s)
        self.duration_s = end_ns / 1e9

    @property
    def breaks(self) -> Sequence[Break]:
        """Its gaps in order; empty if they are healed."""
        return self._breaks

    def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
        """
        Yield the frames due at ``from_s`` and after, in order.

        Raises:
            RecordingError: It is damaged.
        """
        place = self._place(from_s)
        if place == len(self._numbers):
            return
        with open_playable(self._path) as playable:
            for recorded in playable.frames(self._numbers[place]):
                if recorded.frame_no > self._numbers[-1]:
                    return
                # Numbers may have holes in a stranger's file.
                while self._numbers[place] < recorded.frame_no:
                    place += 1
                yield self._planned(recorded, self._at_s[place])

    def part(self, from_s: float, until_s: float) -> RecordingPlan:
        """Return what lies between two places, the first included, as a plan of its own."""
        places = slice(self._place(from_s), self._place(until_s))
        part = copy(self)
        part._numbers = self._numbers[places]
        part._at_s = array("d", (at_s - from_s for at_s in self._at_s[places]))
        part._breaks = breaks_between(self._breaks, from_s, until_s)
        part.duration_s = until_s - from_s
        return part

    def mended(self, heals_gaps: bool) -> RecordingPlan:
        """
        Return the same with gaps cut to nothing, or as they were.

        Raises:
            RecordingError: It cannot be read any more.
        """
        whole = RecordingPlan(self._path, heals_gaps=heals_gaps, idle_max_s=self._idle_max_s)
        if whole._numbers == self._numbers:
            return whole
        ends = (self._number(0), self._number(len(self._numbers)))
        return whole.part(*(whole._position_of(number) for number in ends))

    def place_like(self, other: Plan, at_s: float) -> float:
        """Return where this is what ``other``, of the same frames, is at ``at_s``."""
        assert isinstance(other, RecordingPlan), other
        place = bisect_right(other._at_s, at_s) - 1
        if place < 0:
            return 0.0
        number = other._numbers[place]
        return min(self._position_of(number) + at_s - other._at_s[place], self._position_of(number + 1))

    def priming(self, until_s: float) -> Priming:
        """
        Return what somebody has to know who enters at ``until_s``.

        Raises:
            RecordingError: It is damaged.
        """
        until = self._place(until_s)
        warm = max(0, until - WARM_UP_FRAMES)
        if warm < until:
            # Of frames that came at one moment, all or none.
            warm = self._place(self._at_s[warm])
        with open_playable(self._path) as playable:
            first_seq, warm_seq, until_seq = (
                playable.first_message(self._number(place)) for place in (0, warm, until)
            )
            before = playable.before(first_seq, until_seq)
        warm_s = self._at_s[warm] if warm < until else until_s
        return Priming(_earlier(before), warm_s, 1 + warm, 1 + warm_seq - first_seq)

    def timeline(self, buckets: int) -> Timeline:
        """
        Return what a transport bar draws.

        Args:
            buckets: Into how many equal stretches to count; at least 1.

        Raises:
            RecordingError: It is damaged.
        """
        width_s = self.duration_s / buckets
        edges = [self._number(self._place(i * width_s)) for i in range(buckets)]
        end = self._number(len(self._numbers))
        with open_playable(self._path) as playable:
            counts = playable.activity([*edges, end])
            marks = [mark for mark in playable.marks() if edges[0] <= mark.frame_no < end]
        return Timeline(
            self.duration_s,
            [counts.get(i, (0, 0))[0] for i in range(buckets)],
            [counts.get(i, (0, 0))[1] for i in range(buckets)],
            tuple(self._breaks),
            [Marker(self._position_of(mark.frame_no), mark.kind, mark.text, mark.diamonds) for mark in marks],
        )

    def _lay_out(
        self, times: Iterable[FrameTime], segments: list[Segment], idle_max_s: float | None
    ) -> tuple[list[Break], int]:
        """Place every frame; return the breaks and the end, nanoseconds."""
        by_id = {segment.segment_id: segment for segment in segments}
        idle_max_ns = None if idle_max_s is None else round(idle_max_s * 1e9)
        breaks: list[Break] = []
        at_ns = 0
        previous: FrameTime | None = None
        for time in times:
            if previous is not None:
                gap = previous[1] != time[1]
                passed_ns = (time[2] - previous[2]) * 1000 if gap else time[3] - previous[3]
                passed_ns = max(passed_ns, BREAK_MIN_NS if gap else 0)
                shortest_ns = passed_ns if idle_max_ns is None else min(passed_ns, idle_max_ns)
                if gap and self._heals_gaps:
                    shortest_ns = 0
                elif gap:
                    breaks.append(_break(at_ns, shortest_ns, passed_ns, previous, by_id.get(previous[1])))
                at_ns += shortest_ns
            self._numbers.append(time[0])
            self._at_s.append(at_ns / 1e9)
            previous = time
        tail_ns = _tail_ns(previous, by_id)
        return breaks, at_ns + (tail_ns if idle_max_ns is None else min(tail_ns, idle_max_ns))

    def _place(self, at_s: float) -> int:
        """Return the place of the first frame at a position or behind it."""
        return bisect_left(self._at_s, at_s)

    def _number(self, place: int) -> int:
        """Return the number of a frame by its place; one past the last behind the end."""
        if place < len(self._numbers):
            return self._numbers[place]
        return self._numbers[-1] + 1 if self._numbers else 1

    def _position_of(self, frame_no: int) -> float:
        place = bisect_left(self._numbers, frame_no)
        return self._at_s[place] if place < len(self._at_s) else self.duration_s

    def _planned(self, recorded: RecordedFrame, at_s: float) -> PlannedFrame:
        return PlannedFrame(
            at_s,
            recorded.received_at,
            FrameKind.FETCH if recorded.kind is FrameKind.FETCH else FrameKind.PUSH,
            recorded.payload_type,
            recorded.messages,
            recorded.room_id,
            # Healed, it is one connection.
            1 if self._heals_gaps else recorded.segment_id,
            recorded.cursor,
            recorded.push_seq,
            recorded.log_id,
        )


def _break(at_ns: int, length_ns: int, passed_ns: int, last: FrameTime, segment: Segment | None) -> Break:
    """Return the break behind a frame: it begins where its segment ended, if that is known."""
    quiet_ns = (segment.ended_at - last[2]) * 1000 if segment is not None and segment.ended_at else 0
    # In a shortened break the quiet before it is shortened alike.
    begins_ns = min(max(quiet_ns, 0), passed_ns - BREAK_MIN_NS // 2) * length_ns // passed_ns
    cause = segment.cause if segment is not None and segment.cause is not None else Cause.INTERNAL
    return Break((at_ns + begins_ns) / 1e9, (at_ns + length_ns) / 1e9, cause.value)


def _tail_ns(last: FrameTime | None, by_id: dict[int, Segment]) -> int:
    """Return how long the last segment went on behind its last frame."""
    segment = by_id.get(last[1]) if last is not None else None
    if last is None or segment is None or segment.ended_at is None:
        return 0
    return max(0, segment.ended_at - last[2]) * 1000


def _earlier(before: Before) -> Earlier:
    earlier = Earlier(before.chatters)
    earlier.take(before.events)
    if before.likes_total:
        earlier.take([Like(0, 0, None, 0, None, 0, before.likes_total)])
    if before.viewers is not None:
        now, peak, entered = before.viewers
        for viewers in (peak, now):
            earlier.take([ViewerCount(0, 0, None, 0, None, viewers, entered, 0, 0)])
    earlier.totals = dict(before.totals)
    return earlier
