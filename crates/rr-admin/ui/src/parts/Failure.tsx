// What did not work, in the server's own words, and what to do about it.

import { Alert, Button } from '@mantine/core';

import { formatWait } from '../format';
import type { ServerProblem } from '../server/problem';
import styles from './parts.module.css';

interface FailureProps {
  problem: ServerProblem;
  retry?: () => void;
  retrying?: boolean;
}

export function Failure({ problem, retry, retrying = false }: FailureProps) {
  return (
    <Alert color="red" role="alert" className={styles.failure} classNames={{ message: styles.failureText }}>
      <p>
        {problem.message}
        {problem.retryAfter !== null && <> Try again in {formatWait(problem.retryAfter)}.</>}
      </p>
      {problem.fields.length > 0 && (
        <ul>
          {problem.fields.map((field) => (
            <li key={field.pointer + field.detail}>
              {field.pointer.slice(1)}: {field.detail}
            </li>
          ))}
        </ul>
      )}
      {problem.requestId && problem.isOutage && <p className={styles.requestId}>Request {problem.requestId}</p>}
      {retry && (
        <Button size="compact-sm" variant="default" onClick={retry} loading={retrying}>
          Try again
        </Button>
      )}
    </Alert>
  );
}
