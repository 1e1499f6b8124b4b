"""A warm bot: it takes work items as lines of JSON on stdin and answers each with a line on stdout.

    millrace run --queue 'Credit applications' --warm -- python3 examples/warm_bot.py
"""

import json
import sys

answers = sys.stdout
sys.stdout = sys.stderr  # What libraries print must not be taken for an answer.
control = open(3, "w", buffering=1)  # The number is in MILLRACE_CONTROL, too.
replies = open(3, closefd=False)


def tell(message):
    control.write(json.dumps(message) + "\n")


def point_of_no_return():
    """Returns when the server has it on disk. If the item is lost or cancelled, this process is ended instead."""
    tell({"pointOfNoReturn": True})
    replies.readline()


def pay_out(application):
    amount = application["Credit_Amount"]
    if amount > 15_000:
        return {"status": "FAILED", "failureKind": "BUSINESS", "error": f"{amount} is above the limit of 15000"}
    print("paying", amount, "to", application["Customer_ID"])
    tell({"progress": {"percent": 50, "text": "checked"}})
    point_of_no_return()
    # The payment would be sent here. Whatever happens from now on, nobody sends it a second time unasked.
    return {"status": "COMPLETE", "output": {"paid": amount}, "tags": ["paid"]}


for line in sys.stdin:
    item = json.loads(line)
    try:
        answer = pay_out(item["json"])
    except Exception as error:
        answer = {"status": "FAILED", "error": repr(error)}
    answers.write(json.dumps({"id": item["id"], **answer}) + "\n")
    answers.flush()
