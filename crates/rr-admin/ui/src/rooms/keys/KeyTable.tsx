// The keys. On a narrow screen each row becomes a card, hence the explicit roles and the labels in the cells.

import { Button, VisuallyHidden } from '@mantine/core';

import { When } from '../../parts/When';
import type { Key } from '../../server/calls';
import styles from './keys.module.css';
import { GraceLine, LeakLine, LimitsLine, NeverNeeded, PendingLine, RefusedLine, StartLine, Status } from './Remarks';
import { canRotate } from './standing';

const COLUMNS = ['Name', 'Key', 'Permissions', 'Created', 'Expires', 'Last used', 'Status'];

interface KeyTableProps {
  keys: Key[];
  limit: (key: Key) => void;
  rotate: (key: Key) => void;
  revoke: (key: Key) => void;
}

export function KeyTable({ keys, limit, rotate, revoke }: KeyTableProps) {
  return (
    <table role="table" className={styles.table} aria-label="API keys">
      <thead role="rowgroup">
        <tr role="row">
          {COLUMNS.map((column) => (
            <th key={column} role="columnheader" scope="col">
              {column}
            </th>
          ))}
          <th role="columnheader" scope="col">
            <VisuallyHidden>Actions</VisuallyHidden>
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {keys.map((key) => (
          <KeyRow
            key={key.id}
            shown={key}
            limit={() => limit(key)}
            rotate={() => rotate(key)}
            revoke={() => revoke(key)}
          />
        ))}
      </tbody>
    </table>
  );
}

interface KeyRowProps {
  shown: Key;
  limit: () => void;
  rotate: () => void;
  revoke: () => void;
}

function KeyRow({ shown, limit, rotate, revoke }: KeyRowProps) {
  const nameId = `key-name-${shown.id}`;
  const over = shown.status === 'revoked' || shown.status === 'expired';
  return (
    <tr role="row" data-over={over || undefined}>
      <th role="rowheader" scope="row" id={nameId} className={styles.name}>
        {shown.name}
        <LeakLine of={shown} />
        <RefusedLine of={shown} />
      </th>
      <td role="cell" data-label="Key" className={styles.hint}>
        {shown.hint}…
      </td>
      <td role="cell" data-label="Permissions">
        <Permissions names={shown.permissions} />
        <LimitsLine of={shown} />
        <NeverNeeded of={shown} />
      </td>
      <td role="cell" data-label="Created">
        <When time={shown.created_at} as="day" />
      </td>
      <td role="cell" data-label="Expires">
        {shown.expires_at ? <When time={shown.expires_at} as="day" /> : 'Never'}
      </td>
      <td role="cell" data-label="Last used">
        {shown.last_used ? <When time={shown.last_used} /> : 'Never'}
      </td>
      <td role="cell" data-label="Status">
        <Status of={shown} />
        <StartLine of={shown} />
        <GraceLine of={shown} />
        <PendingLine of={shown} />
      </td>
      <td role="cell" className={styles.action}>
        {!over && (
          <Button size="compact-xs" variant="default" aria-describedby={nameId} onClick={limit}>
            Limits
          </Button>
        )}
        {canRotate(shown) && (
          <Button size="compact-xs" variant="default" aria-describedby={nameId} onClick={rotate}>
            Rotate
          </Button>
        )}
        {shown.status !== 'revoked' && (
          <Button size="compact-xs" variant="default" aria-describedby={nameId} onClick={revoke}>
            Revoke
          </Button>
        )}
      </td>
    </tr>
  );
}

function Permissions({ names }: { names: string[] }) {
  if (names.length === 0) return <>None</>;
  return (
    <span className={styles.permissions}>
      {names.map((name, index) => (
        <span key={name}>
          {name}
          {index < names.length - 1 && ', '}
        </span>
      ))}
    </span>
  );
}
