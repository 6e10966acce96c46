// How often a key may be used, changed while it is in use.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { Dialog } from '../../parts/Dialog';
import { DialogForm } from '../../parts/DialogForm';
import { type Key, server } from '../../server/calls';
import { asProblem } from '../../server/problem';
import { queries } from '../../server/queries';
import { LimitsField } from './LimitsField';
import { fromDraft, toDraft } from './limits';

interface LimitsDialogProps {
  target: Key;
  close: () => void;
  saved: () => void;
}

export function LimitsDialog({ target, close, saved }: LimitsDialogProps) {
  const client = useQueryClient();
  const [limits, setLimits] = useState(() => (target.rate_limits ?? []).map(toDraft));
  const save = useMutation({
    mutationFn: () => server.limitKey(target.id, limits.map(fromDraft)),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: queries.keys.queryKey });
      saved();
      close();
    },
  });
  return (
    <Dialog title={`Limits of “${target.name}”`} close={close} closeOnClickOutside={false}>
      <DialogForm
        action="Save"
        send={() => save.mutate()}
        pending={save.isPending}
        problem={save.isError ? asProblem(save.error) : null}
        cancel={close}
      >
        <LimitsField limits={limits} change={setLimits} />
      </DialogForm>
    </Dialog>
  );
}
