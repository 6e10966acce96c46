// “Integration Status”: what the last answers say, and the button that asks again.

import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { formatClock } from '../format';
import { SyncIcon } from '../parts/icons';
import { type Health, useHealth } from '../server/health';
import { DATA, queries, REFRESH_MS } from '../server/queries';
import styles from './shell.module.css';

const WORDS: Record<Health['state'], string> = {
  checking: 'Checking…',
  connected: 'Connected',
  disconnected: 'Disconnected',
};

export function Status() {
  const health = useHealth();
  return (
    <div className={styles.status}>
      <span className={styles.statusName}>Integration Status</span>
      <span role="status" className={styles.verdict}>
        <span className={styles.pill} data-state={health.state}>
          {WORDS[health.state]}
        </span>
        {health.reason && <span className={styles.reason}>{health.reason}</span>}
      </span>
      <span className={styles.synced}>
        {health.lastSynced === null ? 'Not synced yet' : `Last synced ${formatClock(health.lastSynced)}`}
        <span className={styles.rhythm}> · every {REFRESH_MS / 1000} seconds</span>
      </span>
      <SyncButton />
    </div>
  );
}

function SyncButton() {
  const client = useQueryClient();
  const [syncing, setSyncing] = useState(false);
  const sync = async () => {
    setSyncing(true);
    await Promise.all([
      client.refetchQueries({ queryKey: queries.ready.queryKey }),
      client.refetchQueries({ queryKey: [DATA], type: 'active' }),
    ]);
    setSyncing(false);
  };
  return (
    <Button size="compact-sm" leftSection={<SyncIcon />} loading={syncing} onClick={() => void sync()}>
      Sync Data
    </Button>
  );
}
