// The page's nonce, for the style elements that libraries add.

import { setNonce } from 'get-nonce';

/** Reads the nonce that the server put into the page. `get-nonce` carries it to the scroll lock of dialogs. */
export function adoptNonce(): string {
  const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
  if (nonce) setNonce(nonce);
  return nonce;
}
