/**
 * The engine's memory: a block of up to 512 bytes is cut off once and then reused by its size. A command takes some ten
 * thousand of them; the engine's own way, three calls for each and a count of all bytes, took a sixth of its instructions.
 */

const allocator = `
#define JS_BLOCK_STEP 16
/* The largest small block, in steps. Sanitizers have to see each block, so with them no block is small. */
#ifdef __SANITIZE_ADDRESS__
#define JS_BLOCK_MOST 0
#else
#define JS_BLOCK_MOST 32
#endif
#define JS_BLOCK_LARGE 0xff

/* By size in steps. A free block has the address of the next one where its contents were. */
static JSMallocBlockHeader *js_free_blocks[JS_BLOCK_MOST + 1];

static inline bool js_block_is_small(size_t size)
{
    return JS_BLOCK_MOST > 0 && size <= JS_BLOCK_MOST * JS_BLOCK_STEP - sizeof(JSMallocBlockHeader);
}

static inline size_t js_block_steps(size_t size)
{
    return (size + sizeof(JSMallocBlockHeader) + JS_BLOCK_STEP - 1) / JS_BLOCK_STEP;
}

static inline JSMallocBlockHeader *js_block_of(const void *ptr)
{
    return container_of((void *)ptr, JSMallocBlockHeader, user_data);
}

static size_t js_block_room(JSRuntime *rt, const void *ptr)
{
    JSMallocBlockHeader *b = js_block_of(ptr);
    size_t size;
    if (b->block_size_idx != JS_BLOCK_LARGE)
        return b->block_size_idx * JS_BLOCK_STEP - sizeof(JSMallocBlockHeader);
    size = rt->mf.js_malloc_usable_size(b);
    return size == 0 ? 0 : size - sizeof(JSMallocBlockHeader);
}

/* Memory that the runtime did not have before. The collector's threshold counts only this, and large blocks. */
static no_inline void *js_block_new(JSRuntime *rt, size_t size, bool zeroed)
{
    JSMallocState *s = &rt->malloc_state;
    bool small = js_block_is_small(size);
    size_t whole = small ? js_block_steps(size) * JS_BLOCK_STEP : size + sizeof(JSMallocBlockHeader);
    JSMallocBlockHeader *b;
    if (size > PTRDIFF_MAX)
        return NULL;
    b = zeroed ? rt->mf.js_calloc(s->opaque, 1, whole) : rt->mf.js_malloc(s->opaque, whole);
    if (!b)
        return NULL;
    b->u.block_idx = JS_ARENA_FREE_NIL;
    b->block_size_idx = small ? whole / JS_BLOCK_STEP : JS_BLOCK_LARGE;
    s->malloc_size += small ? whole : rt->mf.js_malloc_usable_size(b);
    return b->user_data;
}

static inline void *js_block_reused(size_t size)
{
    JSMallocBlockHeader **list, *b;
    if (unlikely(!js_block_is_small(size)))
        return NULL;
    list = &js_free_blocks[js_block_steps(size)];
    b = *list;
    if (!b)
        return NULL;
    *list = *(JSMallocBlockHeader **)b->user_data;
    return b->user_data;
}

void *js_malloc_rt(JSRuntime *rt, size_t size)
{
    void *ptr;
    if (unlikely(size == 0))
        return NULL;
    ptr = js_block_reused(size);
    return ptr ? ptr : js_block_new(rt, size, false);
}

void *js_calloc_rt(JSRuntime *rt, size_t count, size_t size)
{
    void *ptr;
    assert(count != 0 && size != 0);
    if (unlikely(count != (count * size) / size))
        return NULL;
    size *= count;
    ptr = js_block_reused(size);
    return ptr ? memset(ptr, 0, size) : js_block_new(rt, size, true);
}

void js_free_rt(JSRuntime *rt, void *ptr)
{
    JSMallocBlockHeader *b;
    if (!ptr || js_immortal(ptr))
        return;
    b = js_block_of(ptr);
    if (likely(b->block_size_idx != JS_BLOCK_LARGE)) {
        *(JSMallocBlockHeader **)ptr = js_free_blocks[b->block_size_idx];
        js_free_blocks[b->block_size_idx] = b;
        return;
    }
    rt->malloc_state.malloc_size -= rt->mf.js_malloc_usable_size(b);
    rt->mf.js_free(rt->malloc_state.opaque, b);
}

/* A small block that shrinks stays where it is and keeps its size. */
void *js_realloc_rt(JSRuntime *rt, void *ptr, size_t size)
{
    JSMallocBlockHeader *b, *to;
    size_t before;
    void *moved;
    if (!ptr)
        return js_malloc_rt(rt, size);
    if (unlikely(size == 0)) {
        js_free_rt(rt, ptr);
        return NULL;
    }
    b = js_block_of(ptr);
    before = js_block_room(rt, ptr);
    if (b->block_size_idx != JS_BLOCK_LARGE) {
        if (size <= before)
            return ptr;
    } else if (!js_block_is_small(size) && !js_immortal(ptr)) {
        if (size > PTRDIFF_MAX)
            return NULL;
        to = rt->mf.js_realloc(rt->malloc_state.opaque, b, sizeof(JSMallocBlockHeader) + size);
        if (!to)
            return NULL;
        rt->malloc_state.malloc_size += js_block_room(rt, to->user_data) - before;
        return to->user_data;
    }
    moved = js_malloc_rt(rt, size);
    if (!moved)
        return NULL;
    to = js_block_of(moved);
    to->gc_obj_type = b->gc_obj_type;
    to->mark = b->mark;
    to->ref_count = b->ref_count;
    memcpy(moved, ptr, size < before ? size : before);
    js_free_rt(rt, ptr);
    return moved;
}

/* The process ends with the runtime. */
static void js_arena_free_all(JSRuntime *rt)
{
}

size_t js_malloc_usable_size_rt(JSRuntime *rt, const void *ptr)
{
    return ptr ? js_block_room(rt, ptr) : 0;
}
`;

/** @type {import('./quickjs-changes.mjs').Change[]} */
export const blocks = [
  {
    find: /static no_inline void \*arena_malloc_large\([\s\S]*?\nsize_t js_malloc_usable_size_rt\([^{]*\{[^}]*\}\n/g,
    put: allocator,
    times: 1,
  },
];
