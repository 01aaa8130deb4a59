'use strict';
// Runs a generator of steps inside a transaction: `later` awaits each, `atOnce` does not.

async function later(steps, tx) {
  let turn = steps.next();
  while (!turn.done) turn = steps.next(await turn.value(tx));
  return turn.value;
}

function atOnce(steps, tx) {
  let turn = steps.next();
  while (!turn.done) turn = steps.next(turn.value(tx));
  return turn.value;
}

module.exports = { atOnce, later };
