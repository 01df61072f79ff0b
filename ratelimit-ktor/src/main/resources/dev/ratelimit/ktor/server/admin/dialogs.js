// Asks before something is done that cannot be taken back.

import { byId } from './dom.js';

// True if the answer is yes; Escape means no.
export function confirmed(title, text, yes) {
  const dialog = byId('confirm');
  byId('confirm-title').textContent = title;
  byId('confirm-text').textContent = text;
  byId('confirm-yes').textContent = yes;
  return new Promise((resolve) => {
    byId('confirm-no').onclick = () => dialog.close('no');
    byId('confirm-yes').onclick = () => dialog.close('yes');
    dialog.onclose = () => resolve(dialog.returnValue === 'yes');
    dialog.returnValue = 'no';
    dialog.showModal();
    byId('confirm-no').focus();
  });
}
