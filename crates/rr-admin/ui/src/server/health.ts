// Whether the panel is connected, told from answers alone: the readiness probe and the last reads.

import { notifyManager, type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';

import { asProblem, type ServerProblem } from './problem';
import { DATA, queries } from './queries';

export interface Health {
  state: 'checking' | 'connected' | 'disconnected';
  /** Why it is disconnected. */
  reason: string | null;
  /** The moment up to which everything on the page is known to be true, in ms. */
  lastSynced: number | null;
}

export function useHealth(): Health {
  const ready = useQuery(queries.ready);
  const trouble = useData(outage);
  const lastSynced = useData(oldestRead);

  const problem = ready.error ? asProblem(ready.error) : trouble;
  if (problem) return { state: 'disconnected', reason: problem.message, lastSynced };
  return { state: ready.isSuccess ? 'connected' : 'checking', reason: null, lastSynced };
}

/** The first outage among what the page reads. A refusal (4xx) is an answer, so it is not one. */
function outage(client: QueryClient): ServerProblem | null {
  for (const query of client.getQueryCache().findAll({ queryKey: [DATA] })) {
    if (query.state.status !== 'error') continue;
    const problem = asProblem(query.state.error);
    if (problem.isOutage) return problem;
  }
  return null;
}

function oldestRead(client: QueryClient): number | null {
  const times = client
    .getQueryCache()
    .findAll({ queryKey: [DATA], type: 'active' })
    .map((query) => query.state.dataUpdatedAt);
  return times.length === 0 || times.includes(0) ? null : Math.min(...times);
}

function useData<Value>(read: (client: QueryClient) => Value): Value {
  const client = useQueryClient();
  const subscribe = useCallback(
    // Batched, because the cache also speaks up while components render.
    (changed: () => void) => client.getQueryCache().subscribe(notifyManager.batchCalls(changed)),
    [client],
  );
  return useSyncExternalStore(subscribe, () => read(client));
}
