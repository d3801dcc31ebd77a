/**
 * All rules. An error refuses the configuration; a warning is about something that probably does not do what its author
 * wants.
 */
import { annotationErrors, annotationWarnings } from './annotations.ts';
import { capabilityWarnings } from './capabilities.ts';
import { deviceErrors, deviceWarnings } from './devices.ts';
import { generalErrors } from './general.ts';
import { linuxErrors, linuxWarnings } from './linux.ts';
import { mountErrors, mountWarnings } from './mounts.ts';
import { namespaceErrors } from './namespaces.ts';
import { networkErrors } from './network.ts';
import { processErrors, processWarnings } from './process.ts';
import { resourceErrors, resourceWarnings } from './resources.ts';
import type { Rule } from './rule.ts';
import { schedulerErrors, schedulerWarnings } from './scheduler.ts';
import { seccompErrors, seccompWarnings } from './seccomp.ts';
import { sysctlErrors } from './sysctl.ts';

export const errorRules: readonly Rule[] = [
  ...generalErrors,
  ...annotationErrors,
  ...processErrors,
  ...schedulerErrors,
  ...mountErrors,
  ...namespaceErrors,
  ...deviceErrors,
  ...networkErrors,
  ...sysctlErrors,
  ...resourceErrors,
  ...seccompErrors,
  ...linuxErrors,
];

export const warningRules: readonly Rule[] = [
  ...annotationWarnings,
  ...processWarnings,
  ...schedulerWarnings,
  ...capabilityWarnings,
  ...mountWarnings,
  ...deviceWarnings,
  ...resourceWarnings,
  ...seccompWarnings,
  ...linuxWarnings,
];
