"""The player script whose two challenges yt-dlp's solver works out, and their solutions in Python.

YouTube gives addresses of media with an `n` that has to be changed and with a signature that has to be put in order.
Only its player script knows how. The solver looks in the script for a function that marks an address with "alr" and
"yes", calls it with a signature, and takes `n` from the object that comes back.
"""

PLAYER_ID = "f00dcafe"
PLAYER_PATH = f"/s/player/{PLAYER_ID}/player_ias.vflset/en_US/base.js"
SIGNATURE_TIMESTAMP = 20768
N_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# The order of the steps changes with every script; these are this one's.
SWAPS = (17, 42)
DROPPED = 3
N_STEP = 11

_SCRIPT = """\
var _yt_player={};(function(g){var window=this;
/* Written for tests. */
'use strict';
var letters="%(letters)s",config={signatureTimestamp:%(timestamp)d,playerId:"%(player)s"};
var Steps={turn:function(a){a.reverse()},drop:function(a,b){a.splice(0,b)},
swap:function(a,b){var c=a[0];a[0]=a[b%%a.length];a[b%%a.length]=c}};
var order=function(a){a=a.split("");Steps.swap(a,%(first)d);Steps.turn(a);Steps.drop(a,%(dropped)d);
Steps.swap(a,%(second)d);return a.join("")};
var change=function(a){for(var b=[],c=0;c<a.length;c++)
b.unshift(letters[(letters.indexOf(a[c])+%(step)d+c)%%letters.length]);return b.join("")};
g.Link=function(a,b){this.address=a;this.strict=b;this.fields={};this.done=!1};
g.Link.prototype.set=function(a,b){this.fields[a]=b};
g.Link.prototype.get=function(a){return this.fields[a]===void 0?null:this.fields[a]};
g.Link.prototype.clone=function(){var a=new g.Link(this.address,this.strict);
a.fields=Object.assign({},this.fields);return a};
g.Link.prototype.finish=function(){var a=this.get("n");
a&&!this.done&&(this.set("n",change(a)),this.done=!0);return this.address};
var prepare=function(a,b,c){b=b===void 0?"":b;c=c===void 0?"":c;a=new g.Link(a,!0);%(mark)s
c&&(c=order(decodeURIComponent(c)),a.set(b,encodeURIComponent(c)));return a};
g.prepare=prepare;g.config=config;
if(typeof window!=="undefined"&&window.player)window.player.start(config);
})(_yt_player);
"""


def player_script(*, solvable: bool = True, misleading: bool = False) -> str:
    """The script as served, or as after a change at YouTube.

    An unsolvable one lacks what the solver looks for; a misleading one gives it a wrong `n`.
    """
    return _SCRIPT % {
        "letters": N_LETTERS,
        "timestamp": SIGNATURE_TIMESTAMP,
        "player": PLAYER_ID,
        "first": SWAPS[0],
        "second": SWAPS[1],
        "dropped": DROPPED,
        "step": N_STEP + misleading,
        "mark": 'a.set("alr","yes");' if solvable else 'a.mark("yes","alr");',
    }


def changed_n(challenge: str) -> str:
    """What the script's `change` makes of an n."""
    moved = [N_LETTERS[(N_LETTERS.index(letter) + N_STEP + at) % 64] for at, letter in enumerate(challenge)]
    return "".join(reversed(moved))


def ordered_signature(scrambled: str) -> str:
    """What the script's `order` makes of a signature."""
    letters = list(scrambled)
    _swap(letters, SWAPS[0])
    letters.reverse()
    del letters[:DROPPED]
    _swap(letters, SWAPS[1])
    return "".join(letters)


def _swap(letters: list[str], at: int) -> None:
    at %= len(letters)
    letters[0], letters[at] = letters[at], letters[0]
