"""How the machine runs the network: decided by a measurement, not by a habit."""

from instar.records import Decision, Measurements, Timing

CLEARLY = 1.03
"""A way that is not at least 3 % faster than a simpler one is not worth its complication (our judgement)."""


def fastest(measurements: Measurements) -> Timing:
    """The way with most training examples a second; among those within 3 % of it, the simplest.

    Simple is fp32 before bf16, then plain memory format before channels_last, then more threads before fewer.
    """
    top = max(t.training for t in measurements.timings)
    close = [t for t in measurements.timings if t.training * CLEARLY >= top]
    return min(close, key=lambda t: (t.precision != "fp32", t.channels_last, -t.threads, -t.training))


def default(measurements: Measurements) -> Timing:
    """What a user gets who sets nothing: fp32, plain memory format, all threads."""
    plain = [t for t in measurements.timings if t.precision == "fp32" and not t.channels_last]
    return max(plain, key=lambda t: t.threads)


def engine(measurements: Measurements) -> tuple[Decision, ...]:
    """precision, channels_last and threads of the fastest way to train that was measured."""
    best, plain = fastest(measurements), default(measurements)
    ways = len(measurements.timings)
    if best == plain:
        compared = f"no other of {ways} measured ways was clearly faster" if ways > 1 else "the one way measured"
    else:
        compared = (
            f"{best.training / plain.training:.2f} times the {plain.training:.1f} of fp32 in plain memory "
            f"format with {plain.threads} threads, the default; {ways} ways were measured"
        )
    memory = "channels_last" if best.channels_last else "plain memory format"
    reason = (
        f"{best.precision}, {memory} and {best.threads} threads train {best.training:.1f} examples a second "
        f"on this machine ({measurements.device}): {compared}."
    )
    source = "measurement (3-plan/measurements.yaml)"
    return (
        Decision("precision", best.precision, "measured", (), reason, source),
        Decision("channels_last", best.channels_last, "measured", (), _short(best, plain), source),
        Decision("threads", best.threads, "measured", (), _short(best, plain), source),
    )


def _short(best: Timing, plain: Timing) -> str:
    """The figures once more, for a reader who looks at one row of the table."""
    return (
        f"Part of the fastest way measured: {best.training:.1f} training examples a second against "
        f"{plain.training:.1f} by default."
    )
