// The three states of everything that is read: not yet, not at all, and here it is.

import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';

import { asProblem } from '../server/problem';
import { Failure } from './Failure';
import styles from './parts.module.css';

/** The part of a query that is shown; both plain and paged queries have it. */
export interface Read<Data> {
  data: Data | undefined;
  error: unknown;
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
  const failure = of.error ? (
    <Failure problem={asProblem(of.error)} retry={() => void of.refetch()} retrying={of.isFetching} />
  ) : null;
  if (of.data === undefined) return failure ?? <Placeholder lines={lines} />;
  return (
    <>
      {/* Old figures stay readable below the reason why they are old. */}
      {failure}
      {children(of.data)}
    </>
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
