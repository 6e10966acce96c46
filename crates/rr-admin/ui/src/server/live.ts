// The live stream: what happens is shown when it happens, where the browser can. The refresh every 30 seconds goes on
// beside it, so a stream that ends, or never begins, costs nothing but time.

import { type InfiniteData, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import type { Event } from './calls';
import { parseExactly } from './digits';
import { DATA, queries, REFRESH_MS } from './queries';

const STREAM = '/api/devops/stream';

/** What comes within so many milliseconds is shown together. */
const TOGETHER_MS = 250;
/** The list is read anew instead of growing longer than this. */
const LONGEST_PAGE = 100;

interface EventPage {
  events: Event[];
  next_cursor?: string | null;
}

/** Follows the stream while the tab is visible. */
export function useLive(): void {
  const client = useQueryClient();
  useEffect(() => follow(client), [client]);
}

/** Begins to follow; the function returned ends it. */
function follow(client: QueryClient): () => void {
  if (typeof EventSource === 'undefined') return () => {};
  let source: EventSource | null = null;
  let waiting: Event[] = [];
  let flush: number | undefined;
  let again: number | undefined;

  const readAgain = () => void client.invalidateQueries({ queryKey: queries.events.queryKey });

  const show = () => {
    flush = undefined;
    const fresh = waiting;
    waiting = [];
    if (!prepend(client, fresh)) readAgain();
  };

  const open = () => {
    window.clearTimeout(again);
    if (source !== null || document.hidden) return;
    source = new EventSource(STREAM);
    // What came between the last answer and now is read; from here on it comes by itself.
    source.addEventListener('open', readAgain);
    source.addEventListener('error', () => {
      // A connection that broke is made again by the browser. One that was refused is not.
      if (source?.readyState !== EventSource.CLOSED) return;
      source = null;
      again = window.setTimeout(open, REFRESH_MS);
    });
    source.addEventListener('event', ({ data }: MessageEvent<string>) => {
      waiting.push(parseExactly<Event>(data));
      flush ??= window.setTimeout(show, TOGETHER_MS);
    });
    source.addEventListener('figures', ({ data }: MessageEvent<string>) => {
      for (const [name, figures] of Object.entries(JSON.parse(data) as Record<string, unknown>)) {
        client.setQueryData([DATA, name], figures);
      }
    });
  };

  const close = () => {
    window.clearTimeout(again);
    source?.close();
    source = null;
  };

  const lookAtTab = () => (document.hidden ? close() : open());
  document.addEventListener('visibilitychange', lookAtTab);
  open();
  return () => {
    document.removeEventListener('visibilitychange', lookAtTab);
    window.clearTimeout(flush);
    close();
  };
}

/** Puts events, oldest first, at the top of the list; says whether they had room there. */
function prepend(client: QueryClient, events: Event[]): boolean {
  const key = queries.events.queryKey;
  const list = client.getQueryData(key) as InfiniteData<EventPage, string | null> | undefined;
  const [first, ...older] = list?.pages ?? [];
  if (list === undefined || first === undefined) return false;
  // An answer that was under way may have brought some of them already.
  const known = new Set(first.events.map(({ id }) => id));
  const fresh = events.filter(({ id }) => !known.has(id)).toReversed();
  if (first.events.length + fresh.length > LONGEST_PAGE) return false;
  const top = { ...first, events: [...fresh, ...first.events] };
  client.setQueryData(key, { ...list, pages: [top, ...older] } as never);
  return true;
}
