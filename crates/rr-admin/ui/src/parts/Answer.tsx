// The states of everything that is read: not yet, not at all, here it is, and here is what it was.

import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';

import { formatClock } from '../format';
import { asProblem, type ServerProblem } from '../server/problem';
import { Failure } from './Failure';
import styles from './parts.module.css';

/** The part of a query that is shown; both plain and paged queries have it. */
export interface Read<Data> {
  data: Data | undefined;
  error: unknown;
  dataUpdatedAt: number;
  isFetching: boolean;
  refetch: () => unknown;
}

interface AnswerProps<Data> {
  of: Read<Data>;
  /** Lines of the placeholder, about as many as there will be. */
  lines: number;
  children: (data: Data) => ReactNode;
}

export function Answer<Data>({ of, lines, children }: AnswerProps<Data>) {
  const problem = of.error ? asProblem(of.error) : null;
  if (of.data !== undefined) {
    return (
      <>
        {problem && <Stale since={of.dataUpdatedAt} problem={problem} />}
        {children(of.data)}
      </>
    );
  }
  if (problem) return <Failure problem={problem} retry={() => void of.refetch()} retrying={of.isFetching} />;
  return <Placeholder lines={lines} />;
}

/** One quiet line: an outage concerns the whole page, so the header has its reason. */
function Stale({ since, problem }: { since: number; problem: ServerProblem }) {
  return (
    <p className={styles.stale}>
      Not refreshed since {formatClock(since)}
      {problem.isOutage ? '.' : `: ${problem.message}`}
    </p>
  );
}

function Placeholder({ lines }: { lines: number }) {
  return (
    <div role="status" aria-label="Loading" className={styles.placeholder}>
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} height={14} width={`${92 - ((line * 17) % 40)}%`} />
      ))}
    </div>
  );
}
