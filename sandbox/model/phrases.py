"""What the sandbox writer can say around the facts. None of it states anything about a product, a price or a number."""

PERSONAS = {
    "operations_manager": ("operations managers", "Keeping daily operations on track"),
    "warehouse_lead": ("warehouse leads", "Running a warehouse"),
    "it_lead": ("IT leads", "Looking after a company's systems"),
    "finance_lead": ("finance leads", "Keeping the books in order"),
    "founder": ("founders", "Building a company"),
    "other": ("busy teams", "Running a busy team"),
}

INDUSTRIES = {
    "healthcare": "healthcare", "logistics": "logistics", "retail": "retail", "manufacturing": "manufacturing",
    "food_and_drink": "food and drink",
}  # fmt: skip
"""`other` has no words: the copy then leaves the industry out."""

PAIN_POINTS = {
    "stock_errors": "stock figures that do not match the shelf",
    "slow_picking": "orders that take too long to pick",
    "manual_reporting": "reports that still have to be put together by hand",
    "integration_gaps": "systems that do not talk to each other",
    "high_returns": "returns that keep piling up",
    "other": "the small jobs that take up the day",
}

TOPIC_WORDS = {
    "stock_errors": ("stock", "count"),
    "slow_picking": ("pick", "walk"),
    "manual_reporting": ("report",),
    "integration_gaps": ("connect", "api", "integrat"),
    "high_returns": ("return", "wrong"),
    "healthcare": ("clinic", "health", "hospital"),
    "logistics": ("freight", "logistics"),
    "retail": ("shop", "store", "retail"),
    "manufacturing": ("parts", "manufactur", "factory"),
    "food_and_drink": ("kitchen", "food", "ingredient"),
}
"""By what a fact is recognised as speaking to a pain point or an industry."""

HEADLINES = {
    "stock_errors": [
        "When the shelf and the system disagree",
        "Stock figures worth believing",
        "A calm look at stock",
    ],
    "slow_picking": ["When picking takes too long", "A shorter way to the right shelf", "Picking without the detours"],
    "manual_reporting": [
        "Reports without the copy and paste",
        "When reporting eats the evening",
        "Let the figures come",
    ],
    "integration_gaps": [
        "When systems do not talk",
        "Bring your systems together",
        "Closing the gap between systems",
    ],
    "high_returns": ["When returns keep coming", "A closer look at returns", "Getting on top of returns"],
    "other": ["A quieter working day", "Something useful for your team", "A little less busywork"],
}
PRODUCT_HEADLINES = ["A closer look at {product}", "{product}: what to know", "More about {product}"]

THANKS = {
    "form_submit": ["Thank you for getting in touch.", "Thank you for filling in our form."],
    "webinar_signup": ["Thank you for signing up for our webinar.", "It is good to have you on our webinar list."],
    "demo_request": ["Thank you for asking us for a demo.", "We are glad that you would like to see a demo."],
    "view_item": ["Thank you for taking a look around.", "It was good to see you on our site."],
    "add_to_cart": ["You put something in your cart not long ago.", "Your cart still holds something that you picked."],
    "email_click": ["Thank you for following up on our last note.", "It was good to see you come back."],
    "purchase": ["Thank you for your order.", "We are glad that you chose us."],
    "other": ["Thank you for your interest.", "It is good to hear from you."],
}

OPENERS = [
    "{task} leaves little time for {pain}.",
    "{task} is hard enough without {pain}.",
    "For {people}, {pain} can be real trouble.",
    "If {pain} are part of your week, this note is for you.",
    "We know how much of a day {pain} can take from {people}.",
]

BRIDGES = [
    "Here is what we would like you to know.",
    "This may help.",
    "Some of this may be useful to you.",
    "Here is where we can help.",
    "A few words on what we do about that.",
]

LINKS = ["There is more.", "This is also worth knowing.", "And it does not end there.", "This may interest you as well."]

CLOSERS = {
    "early": [
        "Have a look when it suits you, and reply to this e-mail if a question comes up.",
        "There is no rush. Take a look in a quiet moment and see whether it fits the way you work.",
        "If this is useful to you, a first look takes only a moment, and we are glad to answer what you would like to ask.",
    ],
    "considering": [
        "If this is useful to you, we would be glad to walk you through it with your own examples.",
        "Tell us what a normal day looks like for you, and we will show you where this fits in.",
        "A short conversation is often the easiest way to find out whether it suits your team.",
    ],
    "customer": [
        "As you already work with us, a short reply is all it takes to go through the next step together.",
        "If you would like to see how this fits with what you already use, just reply and we will go through it.",
        "Your usual contact is happy to go through it with you whenever it suits.",
    ],
}

ASIDES = [
    "We kept this short, because we know how full a working day can be.",
    "Every team works a little differently, so tell us what matters most in yours.",
    "And if this is not the right moment, it can wait until it is.",
    "Feel free to pass this on to the colleague who knows this part of the work best.",
]
INDUSTRY_ASIDES = [
    "We picked these points with {industry} in mind.",
    "We wrote this for people who work in {industry}.",
]

CALLS_TO_ACTION = {
    "early": ["See how it works", "Take a first look", "Find out more"],
    "considering": ["Book a short call", "See it in action", "Talk to us"],
    "customer": ["Reply to this e-mail", "Talk to your contact", "Plan the next step"],
}

STAGES = {
    "subscriber": "early", "lead": "early", "other": "early", "marketingqualifiedlead": "considering",
    "salesqualifiedlead": "considering", "opportunity": "considering", "customer": "customer",
}  # fmt: skip
