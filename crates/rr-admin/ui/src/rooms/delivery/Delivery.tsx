// “Delivery”: how well software is delivered, by the five figures of DORA, week by week, and which deployment an
// incident is put down to, with how sure that is.

import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { formatCounted, formatShare, formatSpan, formatWeek } from '../../format';
import { Answer } from '../../parts/Answer';
import { Card, Empty } from '../../parts/Card';
import { Columns } from '../../parts/Columns';
import type { Delivery as Figures, DeliveryFigures } from '../../server/calls';
import { queries } from '../../server/queries';
import { Links } from './Links';
import styles from './delivery.module.css';

export function Delivery() {
  const read = useQuery(queries.delivery);
  const [chosen, choose] = useState<string | null>(null);
  const services = read.data?.services ?? [];
  const shown = services.find((one) => nameOf(one) === chosen) ?? services[0];
  return (
    <Card
      title="Delivery, 13 weeks"
      level={2}
      aside={
        services.length > 1 && (
          <NativeSelect
            size="xs"
            aria-label="Service and environment"
            data={services.map(nameOf)}
            value={shown && nameOf(shown)}
            onChange={(event) => choose(event.currentTarget.value)}
          />
        )
      }
    >
      <Answer of={read} lines={4}>
        {(data) => (
          <>
            {shown ? <Service figures={shown} /> : <Empty>No deployment and no incident has been told of yet.</Empty>}
            <Unplaced of={data} />
          </>
        )}
      </Answer>
    </Card>
  );
}

function nameOf({ service, environment }: Figures): string {
  return `${service}, ${environment}`;
}

function Service({ figures }: { figures: Figures }) {
  const name = nameOf(figures);
  return (
    <div className={styles.service}>
      <div>
        <h3 className={styles.name}>{name}</h3>
        <dl className={styles.figures}>
          {headlines(figures).map(([title, value, note]) => (
            <div key={title}>
              <dt>{title}</dt>
              <dd>
                {value ?? <span title="Nothing is known to compute it from">not known</span>}
                <span className={styles.note}>{note}</span>
              </dd>
            </div>
          ))}
        </dl>
      </div>
      <div>
        <h3 className={styles.name}>Deployments by week</h3>
        <Columns caption={`Deployments of ${name} by week`} columns={weeks(figures)} />
      </div>
      <Links of={figures} />
    </div>
  );
}

/** Title, value (null where it is not known) and what it is made of. */
function headlines(figures: Figures): [string, string | null, string][] {
  const { deployments, incidents } = figures;
  const days = figures.deployment_days_per_week;
  return [
    ['Deployment days a week', days === null ? null : String(days), formatCounted(deployments, 'deployment')],
    ['Change lead time', formatSpan(figures.change_lead_time_s), 'from commit to running'],
    ['Change fail rate', formatShare(figures.change_fail_rate), `${figures.harmful_deployments} of ${deployments}`],
    ['Recovery time', formatSpan(figures.recovery_time_s), `${formatCounted(incidents.total, 'incident')}, ${incidents.open} open`],
    ['Rework rate', formatShare(figures.rework_rate), `${figures.unplanned_deployments} of ${deployments}`],
  ];
}

function weeks(figures: Figures) {
  return figures.weeks.map(({ start, deployments, harmful_deployments: harmful }) => ({
    name: formatWeek(start),
    value: deployments,
    text: formatCounted(deployments, 'deployment') + (harmful > 0 ? `, ${harmful} did harm` : ''),
    partial: false,
  }));
}

function Unplaced({ of: { incidents_without_service: count } }: { of: DeliveryFigures }) {
  if (count === 0) return null;
  return (
    <p className={styles.note}>
      {formatCounted(count, 'incident names', 'incidents name')} neither a service nor a deployment and count nowhere.
    </p>
  );
}
