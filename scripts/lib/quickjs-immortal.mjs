/**
 * Makes the objects of the snapshot immortal: once the heap is sealed, their reference counts are not written any more,
 * so a command copies only those pages of the snapshot that it really changes. Each copied page costs a fault, 1.5 µs.
 * The engine writes reference counts through one macro.
 */
const accessors = '#define JS_GC_MARK(p)   (js_rc(p)->mark)\n';

/**
 * Objects in the sealed part of the heap are neither counted nor freed. They count as shared, so nobody changes them in
 * place.
 */
const immortality = `
/* The snapshot is part of the executable, and all other memory of the engine is above it. */
uintptr_t js_immortal_end;
static bool js_keep_shapes;

#define js_inline static inline __attribute__((always_inline))
js_inline bool js_immortal(const void *p) {
    return (uintptr_t)p < js_immortal_end;
}
js_inline void js_rc_inc(const void *p) {
    if (!js_immortal(p))
        JS_REF_COUNT(p)++;
}
js_inline int js_rc_dec(const void *p) {
    return js_immortal(p) ? 2 : --JS_REF_COUNT(p);
}
js_inline bool js_rc_shared(const void *p) {
    return js_immortal(p) || JS_REF_COUNT(p) != 1;
}
`;

/**
 * Removes the immortal objects from the collector's list, and the free blocks among them from the allocator's, so that
 * later objects get other pages.
 */
const seal = `
/* A table that grows links all its shapes or atoms anew: every page of the snapshot that has one would be copied. */
void JS_MakeRoom(JSRuntime *rt)
{
    while (rt->shape_hash_count * 4 > rt->shape_hash_size)
        if (resize_shape_hash(rt, rt->shape_hash_bits + 1))
            return;
    while (rt->atom_count + rt->atom_count / 2 > rt->atom_count_resize)
        if (JS_ResizeAtomHash(rt, rt->atom_hash_size * 2))
            return;
}

void JS_KeepShapes(bool keep)
{
    js_keep_shapes = keep;
}

void JS_SealHeap(JSRuntime *rt, uintptr_t end)
{
    memset(js_free_blocks, 0, sizeof(js_free_blocks));
    list_del(&rt->gc_obj_list);
    init_list_head(&rt->gc_obj_list);
    js_immortal_end = end;
}

void JS_RunGC(JSRuntime *rt)
`;

/**
 * While the snapshot is made, every shape on the way to an object's last one can be kept, for the commands to find; else
 * it would be changed in place, and go with the object.
 */
const cloneShape = `        } else if (js_rc_shared(sh)) {
            /* if the shape is shared, clone it */
            new_sh = js_clone_shape(ctx, sh);
            if (!new_sh)
                return NULL;
            /* hash the cloned shape */
            new_sh->is_hashed = true;
            js_shape_hash_link(ctx->rt, new_sh);
            js_free_shape(ctx->rt, p->shape);
            p->shape = new_sh;
`;

const cloneOrKeepShape = cloneShape
  .replace('js_rc_shared(sh)', 'js_rc_shared(sh) || js_keep_shapes')
  .replace(
    'js_free_shape(ctx->rt, p->shape);',
    'if (!js_keep_shapes)\n                js_free_shape(ctx->rt, p->shape);',
  );

const lastShape = `    if (add_shape_property(ctx, &p->shape, p, prop, prop_flags))
        return NULL;
    return &p->prop[p->shape->prop_count - 1];
`;

const keepLastShape = lastShape.replace(
  '    return &p',
  '    if (js_keep_shapes)\n        js_rc_inc(p->shape);\n    return &p',
);

const guard = (name, parameters) => ({
  find: `static void ${name}(${parameters})\n{\n`,
  put: `static void ${name}(${parameters})\n{\n    if (js_immortal(p))\n        return;\n`,
  times: 1,
});

/** @type {import('./quickjs-changes.mjs').Change[]} */
export const immortals = [
  { find: /(?<=\n +)JS_REF_COUNT\(([^()\n]+)\)\+\+;/g, put: 'js_rc_inc($1);', times: 19 },
  { find: /--JS_REF_COUNT\(([^()\n]+)\)/g, put: 'js_rc_dec($1)', times: 7 },
  { find: 'JS_REF_COUNT(str)--;', put: 'js_rc_dec(str);', times: 1 },
  // Places where a string would grow in place, or a shape be changed in place.
  { find: 'JS_REF_COUNT(p1) == 1 &&', put: '!js_rc_shared(p1) &&', times: 1 },
  { find: 'JS_REF_COUNT(sh) != 1) {', put: 'js_rc_shared(sh)) {', times: 2 },
  { find: 'if (JS_REF_COUNT(r) > 1) {', put: 'if (js_rc_shared(r)) {', times: 1 },
  guard('gc_decref_child', 'JSRuntime *rt, JSGCObjectHeader *p'),
  guard('gc_scan_incref_child', 'JSRuntime *rt, JSGCObjectHeader *p'),
  { find: cloneShape, put: cloneOrKeepShape, times: 1 },
  { find: lastShape, put: keepLastShape, times: 1 },
  // Most objects have more than two properties: their memory need not move.
  { find: '#define JS_PROP_INITIAL_SIZE 2', put: '#define JS_PROP_INITIAL_SIZE 4', times: 1 },
  { find: '\nvoid JS_RunGC(JSRuntime *rt)\n', put: seal, times: 1 },
  // Last, because it uses the original macro.
  { find: accessors, put: `${accessors}${immortality}`, times: 1 },
];
