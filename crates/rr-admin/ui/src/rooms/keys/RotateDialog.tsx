// A new secret for the same key: first how the old one goes, then the new one, once.

import { Button, Checkbox, Group, NativeSelect, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { Dialog } from '../../parts/Dialog';
import { Failure } from '../../parts/Failure';
import { type Key, server } from '../../server/calls';
import { asProblem } from '../../server/problem';
import { queries } from '../../server/queries';
import { useAttempt } from './attempt';
import { GRACES } from './choices';
import styles from './keys.module.css';
import { Secret } from './Secret';
import { isOpenLeak } from './standing';

export function RotateDialog({ target, close }: { target: Key; close: () => void }) {
  const client = useQueryClient();
  const attempt = useAttempt();
  const leaked = isOpenLeak(target);
  // Nobody should go on using a secret that everybody can read.
  const [grace, setGrace] = useState(leaked ? '0' : '86400');
  const [onFirstUse, setOnFirstUse] = useState(false);
  const [again, setAgain] = useState(0);
  const rotate = useMutation({
    mutationFn: async () => {
      if (target.status === 'disabled') await server.enableKey(target.id);
      return server.rotateKey(
        target.id,
        Number(grace),
        onFirstUse ? 'first_use' : 'now',
        attempt([grace, onFirstUse, again]),
      );
    },
    // When an earlier attempt did arrive, the next one is another wish.
    onError: (error) => {
      if (asProblem(error).code === 'already_rotated') setAgain(again + 1);
    },
    onSettled: () => client.invalidateQueries({ queryKey: queries.keys.queryKey }),
  });

  const secret = rotate.data?.api_key;
  const problem = rotate.isError ? asProblem(rotate.error) : null;
  return (
    <Dialog
      title={secret ? `“${target.name}” has a new secret` : `Rotate “${target.name}”?`}
      close={close}
      size={secret ? 'lg' : 'md'}
      // A slip of the hand must not cost the secret.
      closeOnClickOutside={!secret}
      closeOnEscape={!secret}
      withCloseButton={!secret}
    >
      {secret ? (
        <Secret secret={secret} whenLost="rotate the key again" done={close} />
      ) : (
        <Stack gap="md">
          <p className={styles.question}>
            The key gets a new secret. Its permissions, limits and expiry stay.
            {target.status === 'disabled' && ' It is enabled again; the secret that leaked stays dead.'}
          </p>
          <NativeSelect
            label="The old secret"
            description={leaked ? 'It became public.' : 'Long enough for every program to change over'}
            data={GRACES}
            value={grace}
            onChange={(event) => setGrace(event.currentTarget.value)}
          />
          {!leaked && (
            <Checkbox
              label="Start when the new secret is first used"
              description="The old one works on until then"
              checked={onFirstUse}
              onChange={(event) => setOnFirstUse(event.currentTarget.checked)}
            />
          )}
          {problem && <Failure problem={problem} />}
          {problem?.code === 'already_rotated' && (
            <p className={styles.question}>
              An earlier attempt did arrive, but nobody has seen its secret. Rotate once more for one that you can copy.
            </p>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close} data-autofocus>
              Keep the secret
            </Button>
            <Button loading={rotate.isPending} onClick={() => rotate.mutate()}>
              Rotate
            </Button>
          </Group>
        </Stack>
      )}
    </Dialog>
  );
}
