// Who is signed in. One entry of the query cache holds the answer; a 401 from anywhere empties it.

import { MutationCache, QueryCache, QueryClient, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { type SignedInUser, server } from './calls';
import { ServerProblem } from './problem';
import { DATA } from './queries';

export interface Session {
  /** `null`: nobody, show the sign-in form. */
  user: SignedInUser | null;
  /** The session was there and is over: the form says so. */
  ended: boolean;
}

const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<Session> => {
    try {
      return { user: await server.me(signal), ended: false };
    } catch (error) {
      if (isSignedOut(error)) return { user: null, ended: false };
      throw error;
    }
  },
  // Every other call finds out as well when the session is over, so there is no reason to ask twice.
  staleTime: Number.POSITIVE_INFINITY,
});

export function useSession() {
  return useQuery(sessionQuery);
}

export function startSession(client: QueryClient, user: SignedInUser): void {
  client.setQueryData(sessionQuery.queryKey, { user, ended: false });
}

/** Nobody is signed in from here on: the form comes back. */
export function endSession(client: QueryClient, ended: boolean): void {
  client.setQueryData(sessionQuery.queryKey, { user: null, ended });
}

/** Forgets what was read in somebody's name. Only once the rooms are gone, or they would read it all again. */
export function useForget(): void {
  const client = useQueryClient();
  useEffect(() => client.removeQueries({ queryKey: [DATA] }), [client]);
}

export function makeQueryClient(): QueryClient {
  const onError = (error: unknown) => {
    const session = client.getQueryData(sessionQuery.queryKey);
    if (isSignedOut(error) && session?.user) endSession(client, true);
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < 1 && error instanceof ServerProblem && error.isOutage,
        retryDelay: 1_000,
        // Without this, a browser that believes to be offline would wait instead of saying so.
        networkMode: 'always',
      },
      mutations: { retry: false, networkMode: 'always', gcTime: 0 },
    },
  });
  return client;
}

function isSignedOut(error: unknown): boolean {
  return error instanceof ServerProblem && error.status === 401;
}
