// The emergency switch.

import { post } from './api.js';
import { confirmed } from './dialogs.js';
import { byId, setText } from './dom.js';

export class Switch {
  #isOn = true;
  #done;

  // done(): when it was switched
  constructor(done) {
    this.#done = done;
    byId('switch').addEventListener('click', () => this.#turn());
    byId('on-again').addEventListener('click', () => this.#turn());
  }

  show(isOn) {
    this.#isOn = isOn;
    byId('off').hidden = isOn;
    byId('switch').disabled = false;
    setText(byId('switch'), isOn ? 'Switch the limits off…' : 'Switch the limits on…');
    setText(byId('switch-state'), isOn ? 'The limits are on.' : 'The limits are off.');
  }

  async #turn() {
    const enabled = !this.#isOn;
    const yes = enabled
      ? await confirmed('Switch the limits on?', 'Every rule holds again, from the next call.', 'Switch on')
      : await confirmed('Switch the limits off?', 'Every call is let through and none is charged, until they are switched on again.', 'Switch off');
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
