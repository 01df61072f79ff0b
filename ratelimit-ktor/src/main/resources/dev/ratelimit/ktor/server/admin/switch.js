// The emergency switch.

import { post } from './api.js';
import { confirmed } from './dialogs.js';
import { byId, setText } from './dom.js';

export class Switch {
  #isOn = true;
  // Whether it is the switch of all instances; of this one alone otherwise.
  #isShared = false;
  #done;

  // done(): when it was switched
  constructor(done) {
    this.#done = done;
    byId('switch').addEventListener('click', () => this.#turn());
    byId('on-again').addEventListener('click', () => this.#turn());
  }

  show(isOn, isShared = this.#isShared) {
    this.#isOn = isOn;
    this.#isShared = isShared;
    const others = isShared ? '' : ' Other instances go on.';
    setText(byId('switch-about'), `Switched off, ${this.#effect()}.${others} The deny-list holds all the same.`);
    byId('off').hidden = isOn;
    byId('switch').disabled = false;
    setText(byId('switch'), isOn ? 'Switch the limits off…' : 'Switch the limits on…');
    setText(byId('switch-state'), isOn ? 'The limits are on.' : 'The limits are off.');
  }

  #effect() {
    return this.#isShared
      ? 'all instances that share the store let every call through and charge none'
      : 'this instance lets every call through and charges none';
  }

  async #turn() {
    const enabled = !this.#isOn;
    const yes = enabled
      ? await confirmed('Switch the limits on?', `Every rule holds again${this.#isShared ? ', in all instances' : ''}, from the next call.`, 'Switch on')
      : await confirmed('Switch the limits off?', `Then ${this.#effect()}, until they are switched on again.`, 'Switch off');
    if (!yes) return;
    setText(byId('switch-failure'), '');
    try {
      const { isEnabled } = await post('emergency', { enabled });
      this.show(isEnabled);
      this.#done();
    } catch (error) {
      setText(byId('switch-failure'), `That did not work: ${error.message}`);
    }
  }
}
