"""Sentences of restaurant reviews: what guests say, about what, and how carelessly they type it.

A review is composed for a mood from 1 (furious) to 5 (delighted): a verdict of about that mood and a few
sentences on single points, each good, middling or bad with a chance that follows the mood. Guests contradict
themselves, as they do in life: neighbouring moods share most of their sentences.
"""

from random import Random


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a block, which bars or line ends part from each other."""
    return tuple(phrase.strip() for line in text.strip().splitlines() for phrase in line.split(" | "))


VERDICTS = (
    phrases("""
        Worst {meal} I've had in years | Absolutely terrible experience from start to finish
        I will never come back here | Avoid this place | Zero stars if I could | What a disgrace
        I asked for a refund and they laughed | Don't bother | Save your money and stay at home
        I don't know how this branch is still open | We walked out
    """),
    phrases("""
        Really disappointed with this visit | It used to be so much better | Not worth the money
        I expected more from this branch | Poor, and I had been looking forward to it
        Will think twice before coming back | Sadly not what it was | Below what you would expect
        One star extra for the view, that's all | They can do better than this
    """),
    phrases("""
        It was alright, nothing special | A bit hit and miss | Average {meal}, average place
        Some good, some bad | It does the job | Could be better, could be worse | Fine if you're nearby
        Mixed feelings about this one | Depends on who's working that day | It's ok for a quick {meal}
    """),
    phrases("""
        Good {meal} overall | We had a nice time | Pretty good on the whole | Would come again
        Better than I expected | Solid choice for {meal} | Happy with our visit | Nearly perfect
        Good, with one or two little things | A reliable place for {meal}
    """),
    phrases("""
        Best {meal} in town | Absolutely loved it | My {favourite} place, every single time
        Couldn't ask for more | Highly recommend | Ten out of ten | What a wonderful place
        We'll be back very soon | Don't change a thing | Simply the best
    """),
)
"""Verdicts by mood, 1 to 5."""

POINTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "food": (
        phrases("""
            the {dish} was stone cold | my {dish} was burnt on one side and raw on the other
            the {fries} were soggy and swimming in oil | found a hair in the {dish}
            the {dish} tasted of nothing at all | {friend} was ill all night after the {dish}
            the {dish} was dry as dust | I wouldn't feed that {dish} to a dog
        """),
        phrases("""
            the {dish} was ok but a bit dry | the {fries} needed salt
            the {dish} was fine, the {side} less so
            portions are smaller than they were | nothing wrong with the {dish} | the {dish} was lukewarm
        """),
        phrases("""
            the {dish} was hot and fresh | the {dish} is to die for | lovely {fries}, crisp and golden
            the {side} alone is worth the trip | everything tasted home made
            {friend} finished every crumb of the {dish} | that {dish}, oh my | I dream about the {side}
        """),
    ),
    "service": (
        phrases("""
            the {staff} was rude and rolled her eyes at us | nobody even said hello
            the {staff} argued with {friend} in front of everybody | we were ignored by the {staff}
            the {staff} was on the phone the whole time | the {staff} couldn't care less
        """),
        phrases("""
            the {staff} was polite but forgetful | service was neither here nor there
            the {staff} seemed tired, poor thing | they are clearly short of staff | we had to ask twice
        """),
        phrases("""
            the {staff} was so kind to {friend} | friendly staff who remember your name
            the {staff} went out of his way to help | service with a smile | great team, always cheerful
        """),
    ),
    "wait": (
        phrases("""
            we waited {minutes} minutes for two {drink}s | the {queue} didn't move at all
            {minutes} minutes in the {queue} and then they told us they were closed
            our food took {minutes} minutes and it wasn't even busy
        """),
        phrases("""
            a bit of a wait at {time} | had to wait but they did say sorry | the {queue} was long but it moved
            not the fastest kitchen
        """),
        phrases("""
            in and out in ten minutes | no {queue} even at {time} | our order came quickly and hot
            fast, even on a Saturday
        """),
    ),
    "order": (
        phrases("""
            they forgot the {side} again | got home and half of the {takeaway} was missing
            order was wrong twice in a row | I asked for no onions and got nothing but onions
        """),
        phrases("""
            they mixed up the {drink}s but put it right | check your bag before you leave
            one thing missing from the {takeaway}, they did fix it
        """),
        phrases("""
            order was spot on | they got everything right, even the {side}
            they added free {side} for {friend}
        """),
    ),
    "place": (
        phrases("""
            tables sticky and the floor was filthy | the toilets were disgusting | flies on the counter
            the place smells of old oil
        """),
        phrases("""
            the place could do with a coat of paint | rather loud at {time}
            parking is a nightmare but that isn't their fault
        """),
        phrases("""
            spotless tables and a lovely view | cosy, warm and clean | nice music and comfy seats
            the new decor looks great
        """),
    ),
    "price": (
        phrases("""
            {price} for that is daylight robbery | way too dear for what you get
            they charged me twice and wouldn't give it back
        """),
        phrases("prices have gone up again | {price} for a {drink} is on the high side | you pay for the view"),
        phrases("great value at {price} | cheap and cheerful | you get a lot for {price}"),
    ),
}
"""What is said on each point: bad, middling, good."""

LEANING = ((0.95, 0.05, 0.0), (0.66, 0.28, 0.06), (0.24, 0.5, 0.26), (0.05, 0.27, 0.68), (0.0, 0.04, 0.96))
"""Chances of bad, middling and good, by mood."""

SLOTS = {
    "meal": phrases("breakfast | lunch | dinner | brunch | Sunday roast | supper"),
    "dish": phrases("""
        burger | fish pie | chicken wrap | omelette | soup | lasagne | veggie curry | steak pie
        grilled salmon | pulled pork bun | mushroom risotto
    """),
    "side": phrases("salad | coleslaw | garlic bread | apple crumble | gravy | crème brûlée | rice pudding"),
    "drink": phrases("coffee | hot chocolate | lemonade | milkshake | tea | café latte"),
    "staff": phrases("""
        waiter | manager | girl at the till | young man at the counter | cook | lady who served us
    """),
    "friend": phrases("""
        my daughter | my mum | my husband | my wife | our little boy | a friend from work | grandad
    """),
    "time": phrases("noon | weekends | breakfast time | six o'clock | half past eight"),
    "minutes": phrases("20 | 25 | 35 | 40 | 45 | 50 | 90"),
    "detail": phrases("""
        We were a party of four. | Came in on a rainy Tuesday. | Stopped here on the way to the coast.
        First visit in about two years. | It was our anniversary. | I come here most weeks.
        We sat by the window. | Ordered through the app. | Popped in after the match.
    """),
}
BRITISH = {"fries": "chips", "queue": "queue", "favourite": "favourite", "takeaway": "takeaway", "money": "£"}
AMERICAN = {"fries": "fries", "queue": "line", "favourite": "favorite", "takeaway": "takeout", "money": "$"}

SHORT: tuple[tuple[str, tuple[int, int, int, int, int]], ...] = (
    ("Good", (0, 0, 3, 9, 6)),
    ("Excellent service", (0, 0, 0, 1, 12)),
    ("ok", (1, 2, 8, 4, 1)),
    ("Great food", (0, 0, 0, 3, 8)),
    ("Terrible", (12, 1, 0, 0, 0)),
    ("Bad service", (8, 3, 0, 0, 0)),
    ("Nice place", (0, 0, 1, 5, 5)),
    ("Slow", (3, 4, 3, 0, 0)),
    ("Average", (0, 1, 9, 1, 0)),
    ("Love it", (0, 0, 0, 0, 9)),
    ("Not bad", (0, 0, 5, 5, 1)),
    ("Rude staff", (8, 1, 0, 0, 0)),
    ("Delicious", (0, 0, 0, 2, 8)),
    ("Very good", (0, 0, 0, 5, 6)),
    ("It's fine", (0, 1, 6, 3, 0)),
)
"""Texts that many guests write, and how often with 1 to 5 stars."""


def filled(rng: Random, template: str, dialect: dict[str, str]) -> str:
    """The template with its slots filled."""
    chosen = {name: rng.choice(words) for name, words in SLOTS.items()}
    price = f"{dialect['money']}{rng.randint(4, 38)}"
    return template.format_map(chosen | dialect | {"price": price})


def mistyped(rng: Random, text: str) -> str:
    """The text with one slip of the finger: two letters swapped, one dropped or one doubled."""
    place = rng.randrange(1, len(text) - 2)
    a, b = text[place], text[place + 1]
    if not (a.isalpha() and b.isalpha()):
        return text
    return text[:place] + rng.choice((b + a, b, a + a + b)) + text[place + 2 :]


def composed(rng: Random, mood: int) -> str:
    """A review of one to five sentences for a mood from 1 to 5."""
    dialect = rng.choice((BRITISH, AMERICAN))
    length = rng.choices((0, 1, 2, 3, 4), (10, 26, 32, 22, 10))[0]
    tones = [rng.choices((0, 1, 2), LEANING[mood - 1])[0] for _ in range(length)]
    points = rng.sample(list(POINTS), length)
    said = [filled(rng, rng.choice(POINTS[p][tone]), dialect) for p, tone in zip(points, tones, strict=True)]
    if length > 1 and rng.random() < 0.4:
        joint = rng.choice((" and ", ", and ") if tones[0] == tones[1] else (" but ", ", though "))
        said[:2] = [said[0] + joint + said[1]]
    if not said or rng.random() < 0.78:
        felt = min(5, max(1, round(mood + rng.gauss(0, 0.45))))
        said.insert(rng.choice((0, len(said))), filled(rng, rng.choice(VERDICTS[felt - 1]), dialect))
    stop = rng.choices((". ", "! ", "... ", "\n"), (80, 14, 4, 3))[0]
    text = stop.join(sentence[0].upper() + sentence[1:] for sentence in said)
    text += rng.choice((".", ".", "!", "!!", "", ""))
    if rng.random() < 0.22:
        text = rng.choice(SLOTS["detail"]) + " " + text
    for _ in range(rng.choices((0, 1, 2), (70, 22, 8))[0]):
        text = mistyped(rng, text)
    manner = rng.random()
    return text.lower() if manner < 0.13 else text.upper() if manner < 0.16 else text
