"""Section 1: G and D, the algorithm of the two, and what comes of it."""

from __future__ import annotations

import torch

from ganface.errors import WorkError
from ganface.evaluation.named_directions import find_directions
from ganface.evaluation.probe import Measurements
from ganface.evaluation.traits import measure_traits
from ganface.io.run import Run
from ganface.latents.paths import slerp, sweep, sweep_along, walks, with_straight_labels
from ganface.lecture.course import Course, draw_curves
from ganface.lecture.damage import damaged
from ganface.lecture.page import Block, Picture, Section, Text
from ganface.methods.gan import Gan
from ganface.methods.verdict import with_figures
from ganface.models.generate import latents_of, render_walks
from ganface.pictures.grid import captioned
from ganface.pictures.walks import draw_strip, draw_sweep, entry_names

TRIED, SHOWN = 8, 6  # faces by which entries of z are compared; entries that are shown
FAR = 2.5  # of z's standard deviations, to either side
NAMED, FREE = 6, 2  # directions that are shown: of measurements, and those without
JUDGED = 200  # images of each kind
ASKED = 5  # of each kind in the picture
CHINESE = {"hole": "挖洞", "halves": "上下对调", "mixed": "换掉四分之三"}


def basic_idea(course: Course) -> Section:
    return Section(
        Text("The basic idea", "基本思想"),
        Text(
            "A generator draws, a discriminator judges. How do two networks that are set against "
            "each other teach each other?",
            "一个网络画图，一个网络打分。写作敌人、念作朋友的两个网络，怎样互相教会对方？",
        ),
        [
            _entries_of_z(course),
            *_directions(course),
            _scalar(course),
            _algorithm(course),
            _milestones(course),
            _walk(course),
        ],
    )


def _entries_of_z(course: Course) -> Block:
    G = course.network("gan", "G")
    z_dim = G.config.z_dim
    moved = torch.zeros(z_dim)
    for seed in range(TRIED):
        walk = sweep(latents_of(G, [seed])[0], range(z_dim), -FAR, FAR, 1)
        low, high = render_walks(G, walk).unbind(1)
        moved += (low.int() - high.int()).abs().float().flatten(1).mean(1) / TRIED
    most = moved.argsort(descending=True)[:SHOWN].tolist()
    faces = render_walks(G, sweep(latents_of(G, [0])[0], most, -FAR, FAR, 8))
    picture = draw_sweep(faces, entry_names(most), -FAR, FAR)
    caption = Text(
        f"Seed 0. Each row changes one entry of z from {-FAR} to {FAR}; the others stay.",
        f"种子 0。每一行只把 z 的一个分量从 {-FAR} 变到 {FAR}，其余不变。",
    )
    entry, change, usual = most[0], moved.max().item(), moved.median().item()
    return Block(
        Text(
            f"The generator G takes a vector z of {z_dim} random numbers and draws an image. Each "
            "number means something: it may make the hair longer or darker, turn the head or open "
            "the mouth. Mostly it means a little of several things at once.",
            f"生成器 G 读入一个由 {z_dim} 个随机数组成的向量 z，画出一张图。每个数都有含义："
            "比如头发变长或颜色变深、头转向一侧、嘴张开。多数时候，一个数同时影响好几件事。",
        ),
        [course.save("entries-of-z", picture, caption, "gan")],
        Text(
            f"z[{entry}] changes the picture most, by {change:.1f} grey levels of 255 on average; "
            f"half of the entries change it by less than {usual:.1f}.",
            f"z[{entry}] 对图像影响最大，平均改变 {change:.1f} 个灰度级（共 255）；"
            f"半数分量的影响小于 {usual:.1f}。",
        ),
    )


def _directions(course: Course) -> list[Block]:
    """Nothing of a G whose faces are all alike."""
    G = course.network("gan", "G")
    try:
        found = find_directions(
            G, "jacobian", FREE, Measurements("measured", measure_traits, far=False)
        )
    except WorkError:
        return []
    named = len(found.about) - FREE
    shown = found[[*range(min(named, NAMED)), *range(named, named + FREE)]]
    faces = render_walks(G, sweep_along(latents_of(G, [0])[0], shown.vectors, -FAR, FAR, 8))
    first = found.about[named]
    en = f"Along the one on which faces change most lie {first.strength:.0%} of all change."
    zh = f"变化最大的那个方向占全部变化的 {first.strength:.0%}。"
    if named:
        best = max(found.about[:named], key=lambda each: each.move - each.side_move)
        en += (
            f" The purest is {best.name}: a step of 1 along it moves that by {best.move:.2f} "
            f"standard deviations, and nothing else that was measured by more than "
            f"{best.side_move:.2f}."
        )
        zh += (
            f"最纯的方向是 {best.name}：沿它走 1，这一项移动 {best.move:.2f} 个标准差，"
            f"其他测量项都不超过 {best.side_move:.2f}。"
        )
    picture = draw_sweep(faces, shown.names, -FAR, FAR)
    caption = Text(
        f"Seed 0, moved along directions from {-FAR} to {FAR}. The first rows are named after what "
        "was measured; the last ones are those along which faces change most.",
        f"种子 0，沿各个方向从 {-FAR} 移到 {FAR}。前几行以测量的内容命名，"
        "最后几行是图像变化最大的方向。",
    )
    return [
        Block(
            Text(
                "What a single entry of z changes is chance: G never learned which numbers should "
                "mean what. But there are directions, sums of many entries, along which one thing "
                "changes. To find them, many faces are measured (how bright is the hair?). The "
                "slope of a measurement in z is its direction, once what would move other "
                "measurements, or the rest of the picture, is taken out.",
                "单个分量改变什么，全凭运气：G 从来没有学过哪个数该管什么。但存在一些方向，"
                "由许多分量加权而成，沿着它只有一样东西变化。做法是：测量许多张脸（头发有多亮？），"
                "求测量值对 z 的斜率，再去掉会连带改变其他测量项、或图像其余部分的成分，"
                "剩下的就是方向。",
            ),
            [course.save("directions", picture, caption, "gan")],
            Text(en, zh),
            f"ganface directions {course.run('gan').path}",
        )
    ]


def _scalar(course: Course) -> Block:
    reals = course.pack.batch(course.strangers[:JUDGED])
    hurt = damaged(reals)
    kinds = {
        "real": reals,
        "by G": course.faces("gan", range(len(reals))),
        **hurt,
    }
    logits = {name: course.opinion.logits(images) for name, images in kinds.items()}
    answers = {name: course.opinion.probability(each) for name, each in logits.items()}
    cells, texts = [], []
    for name, images in kinds.items():
        for image, answer in zip(images[:ASKED], answers[name].tolist(), strict=False):
            cells.append(image)
            texts.append(f"{name}: {answer:.2f}")
    shown = len(reals[:ASKED])
    below = {name: (logits[name] < logits["real"]).float().mean().item() for name in hurt}
    means = {name: answer.mean().item() for name, answer in answers.items()}
    caught = Text(
        ", ".join(f"{name} {share:.0%}" for name, share in below.items()),
        "，".join(f"{CHINESE[name]} {share:.0%}" for name, share in below.items()),
    )
    return Block(
        Text(
            "The discriminator D takes an image and gives one number: high for a real face, low "
            "for a poor one. Here it is shown as D(x), between 0 and 1, where 0.5 is what G's "
            "faces get on average.",
            "判别器 D 读入一张图，给出一个数：真实的脸分数高，糟糕的脸分数低。这里写成 0 到 1 "
            "之间的 D(x)，0.5 相当于 G 所画图像的平均水平。",
        ),
        [
            course.save(
                "scalar",
                captioned(cells, texts, shown),
                Text(
                    "Real faces, faces by G, and the real ones damaged in three ways: a hole, the "
                    "lower half above the upper one, three quarters from other faces.",
                    "真实人脸、G 画的脸，以及用三种方式损坏的真实人脸：挖洞、上下两半对调、"
                    "换掉四分之三。",
                ),
                "gan",
            )
        ],
        Text(
            f"On average D(x) is {means['real']:.2f} for real faces and {means['by G']:.2f} for "
            f"G's. It scores a damaged face below the face it was made from: {caught.en} of the "
            "time.",
            f"D(x) 的平均值：真实人脸 {means['real']:.2f}，G 画的脸 {means['by G']:.2f}。"
            f"损坏的脸得分低于原来那张脸的比例：{caught.zh}。",
        ),
    )


def _algorithm(course: Course) -> Block:
    lines = course.lines("gan")
    last = with_figures(["accuracy_real"], lines)[-1]
    right = last["accuracy_real"], last["accuracy_fake"]
    step, verdict = int(last["step"]), str(last["verdict"]).partition(":")[0]
    return Block(
        Text(
            "The algorithm. Begin with random networks. Then, again and again: (1) fix G; take "
            "real images and as many of G's, and update D to score the real ones higher. (2) Fix "
            "D; draw images, and update G so that D scores these higher. What G learns from is D's "
            "gradient.",
            "算法：先随机初始化两个网络，然后反复执行：(1) 固定 G，取一些真实图像和同样多由 G "
            "画的图像，更新 D，使真实图像得分更高；(2) 固定 D，让 G 画图，更新 G，"
            "使这些图得分更高。G 学到的一切都来自 D 的梯度。",
        ),
        [
            course.save(
                "losses",
                draw_curves(lines, Gan.panels[:3]),
                Text(
                    "The losses of this training, and what D got right.",
                    "本次训练的损失，以及 D 的正确率。",
                ),
                chart=True,
            )
        ],
        Text(
            f"After {step:,} updates D was right about {right[0]:.0%} of the real images and "
            f"{right[1]:.0%} of G's. The verdict on the training: {verdict}.",
            f"{step:,} 次更新之后，D 判对了 {right[0]:.0%} 的真实图像和 {right[1]:.0%} 的生成图像。"
            f"工具对训练的判断：“{verdict}”。",
        ),
        "ganface train my-faces",
    )


def _milestones(course: Course) -> Block:
    run: Run = course.run("gan")
    snapshots = run.snapshots()
    first, last = min(snapshots), course.last_step("gan")
    files = {first: snapshots[first], last: run.generator}
    figures = {step: course.measure(file)["frechet"] for step, file in files.items()}
    floor = course.evaluation.floors["frechet"]
    return Block(
        Text(
            "The same z, drawn again as G learns: blots, then something with eyes, then faces.",
            "同样的 z，随着 G 的学习一次次重画：先是色块，然后有了眼睛，最后成了脸。",
        ),
        [
            Picture(
                run.timeline,
                Text("Rows are seeds, columns are updates.", "每行一个种子，每列一个更新次数。"),
            )
        ],
        Text(
            "The Fréchet distance to real images (in random features, lower is better) was "
            f"{figures[first]:.0f} after {first:,} updates and {figures[last]:.1f} after {last:,}. "
            f"Other real images come to {floor:.1f}.",
            f"与真实图像的 Fréchet 距离（随机特征，越低越好）：{first:,} 次更新后为 "
            f"{figures[first]:.0f}，{last:,} 次后为 {figures[last]:.1f}。另一批真实图像为 "
            f"{floor:.1f}。",
        ),
    )


def _walk(course: Course) -> Block:
    G = course.network("gan", "G")
    way = with_straight_labels(slerp, G.config.z_dim)
    faces = render_walks(G, walks(latents_of(G, range(8)), 4, 10, way, loop=False))
    ends = faces[:, [0, -1]].flatten(0, 1)
    middles = faces[:, 5]
    opinion = course.opinion
    scores = [opinion.probability(opinion.logits(x)).mean().item() for x in (ends, middles)]
    return Block(
        Text(
            "A walk from one z to another. What lies between two faces is a face, too: G has not "
            "learned pictures by heart, but what faces have in common.",
            "从一个 z 走到另一个 z。两张脸之间仍然是脸：G 没有背下图片，而是学到了脸的共性。",
        ),
        [
            course.save(
                "walk",
                draw_strip(faces),
                Text("Four walks, from left to right.", "四段路程，从左到右。"),
                "gan",
            )
        ],
        Text(
            f"D gives the faces half way {scores[1]:.2f} on average, those at the ends "
            f"{scores[0]:.2f}.",
            f"D 的平均打分：路程中点 {scores[1]:.2f}，两端 {scores[0]:.2f}。",
        ),
        f"ganface interpolate {course.run('gan').path} --seeds 0,1",
    )
