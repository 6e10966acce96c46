// What the panel reads, how often, and under which name it is remembered.

import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';

import { SOON_DAYS, server } from './calls';

/** The panel looks again this often while its tab is visible. */
export const REFRESH_MS = 30_000;

/** First part of the name of everything that “Sync Data” reads again. */
export const DATA = 'data';

const refreshed = { refetchInterval: REFRESH_MS, refetchIntervalInBackground: false };

export const queries = {
  ready: queryOptions({
    queryKey: ['ready'],
    queryFn: ({ signal }) => server.ready(signal),
    retry: false,
    ...refreshed,
  }),
  dashboard: queryOptions({
    queryKey: [DATA, 'dashboard'],
    queryFn: ({ signal }) => server.dashboard(signal),
    ...refreshed,
  }),
  users: queryOptions({
    queryKey: [DATA, 'users'],
    queryFn: ({ signal }) => server.userFigures(signal),
    ...refreshed,
  }),
  revenue: queryOptions({
    queryKey: [DATA, 'revenue'],
    queryFn: ({ signal }) => server.revenueFigures(signal),
    ...refreshed,
  }),
  commissions: queryOptions({
    queryKey: [DATA, 'commissions'],
    queryFn: ({ signal }) => server.commissionFigures(signal),
    ...refreshed,
  }),
  year: (metric: string) =>
    queryOptions({
      queryKey: [DATA, 'year', metric],
      queryFn: ({ signal }) => server.months(metric, yearAgo(new Date()), signal),
      ...refreshed,
    }),
  delivery: queryOptions({
    queryKey: [DATA, 'delivery'],
    queryFn: ({ signal }) => server.delivery(signal),
    ...refreshed,
  }),
  keys: infiniteQueryOptions({
    queryKey: [DATA, 'keys'],
    queryFn: ({ pageParam, signal }) => server.keys(pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    placeholderData: keepPreviousData,
    ...refreshed,
  }),
  // Below the name of all keys, so that whatever makes those read again makes these read again too.
  endingKeys: queryOptions({
    queryKey: [DATA, 'keys', 'ending'],
    queryFn: ({ signal }) => server.endingKeys(SOON_DAYS, signal),
    ...refreshed,
  }),
  keysToChoose: queryOptions({
    queryKey: [DATA, 'keys', 'to choose'],
    queryFn: ({ signal }) => server.keysToChoose(signal),
  }),
  sources: queryOptions({
    queryKey: [DATA, 'sources'],
    queryFn: ({ signal }) => server.sources(signal),
    ...refreshed,
  }),
  events: infiniteQueryOptions({
    queryKey: [DATA, 'events'],
    queryFn: ({ pageParam, signal }) => server.events(pageParam, signal),
    // It would take numbers with their digits for objects, and copy them.
    structuralSharing: false,
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    placeholderData: keepPreviousData,
    ...refreshed,
  }),
};

/** The first of the month eleven months before: with the present one that makes twelve. */
function yearAgo(now: Date): string {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 11)).toISOString();
}
