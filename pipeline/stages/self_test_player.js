// A player script of Crossmodal's own, with the two challenges that YouTube's have, in the shape in which yt-dlp-ejs
// looks for them: one function makes an address and marks it with "alr", and the address changes its own "n".
var selfTest = {};
(function (player) {
  "use strict";

  function Address(text) {
    this.text = text;
    this.values = {};
  }

  Address.prototype.get = function (name) {
    return name in this.values ? this.values[name] : null;
  };

  Address.prototype.set = function (name, value) {
    this.values[name] = value;
  };

  // "n": the letters in reverse order, and the last two of them before the others.
  Address.prototype.settle = function () {
    if (!this.values.n) return;
    var letters = this.values.n.split("").reverse();
    letters.unshift.apply(letters, letters.splice(-2));
    this.values.n = letters.join("");
  };

  // The signature: reversed, without its first two characters, and with the first and the fourth exchanged.
  function sign(signature) {
    var letters = signature.split("").reverse();
    letters.splice(0, 2);
    var first = letters[0];
    letters[0] = letters[3];
    letters[3] = first;
    return letters.join("");
  }

  function makeAddress(text, name, signature) {
    var address = new Address(text);
    address.set("alr", "yes");
    if (signature) address.set(name, encodeURIComponent(sign(decodeURIComponent(signature))));
    return address;
  }

  player.makeAddress = makeAddress;
})(selfTest);
