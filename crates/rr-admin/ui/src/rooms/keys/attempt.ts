// A wish that may be sent more than once and shall be granted once.

import { useRef } from 'react';

/** Gives the id for an `Idempotency-Key`: the same wish, sent again because its answer got lost, has the same id. */
export function useAttempt(): (wish: unknown) => string {
  const attempt = useRef({ wish: '', id: '' });
  return (wish) => {
    const text = JSON.stringify(wish);
    if (attempt.current.wish !== text) attempt.current = { wish: text, id: randomId() };
    return attempt.current.id;
  };
}

// Not `randomUUID`, which browsers withhold from pages that came over plain http.
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
