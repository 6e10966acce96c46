// “API Key Management”: which keys exist, a new one, new limits, a new secret, and the end of one.

import { Button, VisuallyHidden } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { Answer } from '../../parts/Answer';
import { Card, Empty } from '../../parts/Card';
import { KeyIcon } from '../../parts/icons';
import type { Key } from '../../server/calls';
import { queries } from '../../server/queries';
import { EndingSoon } from './EndingSoon';
import { KeyTable } from './KeyTable';
import { LimitsDialog } from './LimitsDialog';
import { NewKeyDialog } from './NewKeyDialog';
import { RevokeDialog } from './RevokeDialog';
import { RotateDialog } from './RotateDialog';

export function Keys() {
  const keys = useInfiniteQuery(queries.keys);
  const [creating, setCreating] = useState(false);
  const [limiting, setLimiting] = useState<Key | null>(null);
  const [rotating, setRotating] = useState<Key | null>(null);
  const [revoking, setRevoking] = useState<Key | null>(null);
  const [news, setNews] = useState('');

  return (
    <Card
      title="API Key Management"
      level={2}
      aside={
        <Button size="compact-sm" leftSection={<KeyIcon />} onClick={() => setCreating(true)}>
          Generate New Key
        </Button>
      }
    >
      <EndingSoon />
      <Answer of={keys} lines={6}>
        {(data) => {
          const rows = data.pages.flatMap((page) => page.keys);
          return rows.length === 0 ? (
            <Empty>No keys yet. A program needs one to read figures or to send events.</Empty>
          ) : (
            <KeyTable keys={rows} limit={setLimiting} rotate={setRotating} revoke={setRevoking} />
          );
        }}
      </Answer>
      {keys.hasNextPage && (
        <Button
          variant="default"
          size="compact-sm"
          mt="sm"
          loading={keys.isFetchingNextPage}
          onClick={() => void keys.fetchNextPage()}
        >
          Show more keys
        </Button>
      )}
      {creating && <NewKeyDialog close={() => setCreating(false)} />}
      {limiting && (
        <LimitsDialog
          target={limiting}
          close={() => setLimiting(null)}
          saved={() => setNews(`The limits of “${limiting.name}” are saved.`)}
        />
      )}
      {rotating && <RotateDialog target={rotating} close={() => setRotating(null)} />}
      {revoking && (
        <RevokeDialog
          target={revoking}
          close={() => setRevoking(null)}
          revoked={() => setNews(`The key “${revoking.name}” is revoked.`)}
        />
      )}
      <VisuallyHidden role="status">{news}</VisuallyHidden>
    </Card>
  );
}
