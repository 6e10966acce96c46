// “Webhook Sources”: where events come from, how they are signed, and whether anything of them is taken.

import { Button, Group, Switch, VisuallyHidden } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { Answer } from '../../parts/Answer';
import { Card } from '../../parts/Card';
import { Failure } from '../../parts/Failure';
import { type Source, server } from '../../server/calls';
import { asProblem } from '../../server/problem';
import { queries } from '../../server/queries';
import { DEFAULT_SOURCE } from './choices';
import { NewSecretDialog } from './NewSecretDialog';
import { RemoveSourceDialog } from './RemoveSourceDialog';
import { SourceDialog } from './SourceDialog';
import styles from './sources.module.css';

export function Sources() {
  const sources = useQuery(queries.sources);
  const [creating, setCreating] = useState(false);
  const [changing, setChanging] = useState<Source | null>(null);
  const [removing, setRemoving] = useState<Source | null>(null);
  const [rotating, setRotating] = useState<Source | null>(null);
  const [news, setNews] = useState('');
  return (
    <Card
      title="Webhook Sources"
      level={2}
      aside={
        <Button size="compact-sm" onClick={() => setCreating(true)}>
          New Source
        </Button>
      }
    >
      <Answer of={sources} lines={3}>
        {(data) => (
          <ul className={styles.sources}>
            {data.sources.map((source) => (
              <SourceRow
                key={source.name}
                source={source}
                change={() => setChanging(source)}
                rotate={() => setRotating(source)}
              />
            ))}
          </ul>
        )}
      </Answer>
      {creating && <SourceDialog source={null} close={() => setCreating(false)} />}
      {changing && (
        <SourceDialog
          source={changing}
          close={() => setChanging(null)}
          remove={changing.name === DEFAULT_SOURCE ? undefined : () => (setRemoving(changing), setChanging(null))}
        />
      )}
      {removing && (
        <RemoveSourceDialog
          source={removing}
          close={() => setRemoving(null)}
          removed={() => setNews(`The source “${removing.name}” is gone.`)}
        />
      )}
      {rotating && (
        <NewSecretDialog
          source={rotating}
          close={() => setRotating(null)}
          added={() => setNews(`The source “${rotating.name}” has a new secret.`)}
        />
      )}
      <VisuallyHidden role="status">{news}</VisuallyHidden>
    </Card>
  );
}

interface SourceRowProps {
  source: Source;
  change: () => void;
  rotate: () => void;
}

function SourceRow({ source, change, rotate }: SourceRowProps) {
  const client = useQueryClient();
  const toggle = useMutation({
    mutationFn: (enabled: boolean) => server.changeSource(source.name, { enabled }),
    onSettled: () => client.invalidateQueries({ queryKey: queries.sources.queryKey }),
  });
  return (
    <li className={styles.source}>
      <div>
        <strong>{source.name}</strong>
        <span className={styles.note}>
          {source.format === 'auto' ? 'any format' : source.format}
          {source.key_id !== null && ', with a key of its own'}
          {source.retention_days !== null && `, kept for ${source.retention_days} days`}
        </span>
        <span className={styles.note}>{signedBy(source)}</span>
      </div>
      <Group gap="xs">
        <Switch
          size="xs"
          checked={source.enabled}
          aria-busy={toggle.isPending}
          aria-label={`Take what ${source.name} sends`}
          // Not disabled meanwhile, for that would take the focus away.
          onChange={(event) => toggle.isPending || toggle.mutate(event.currentTarget.checked)}
        />
        <Button variant="default" size="compact-sm" aria-label={`Change ${source.name}`} onClick={change}>
          Change
        </Button>
        <Button variant="default" size="compact-sm" aria-label={`New secret for ${source.name}`} onClick={rotate}>
          New Secret
        </Button>
      </Group>
      {toggle.isError && <Failure problem={asProblem(toggle.error)} />}
    </li>
  );
}

/** Which secrets it may sign with, by the start of their SHA-256. */
function signedBy(source: Source): string {
  if (source.secrets.length === 0) {
    return source.unsigned && source.key_id !== null ? 'not signed: its key is enough' : 'no secret of its own';
  }
  return `signed with ${source.secrets.map((secret) => secret.fingerprint).join(', ')}`;
}
