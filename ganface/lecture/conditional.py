"""Section 7, where images have labels: faces to order."""

from __future__ import annotations

from ganface.evaluation.drawn import DrawnImages
from ganface.evaluation.labelled import Labelled
from ganface.latents.labels import ALL, parse_orders
from ganface.latents.latents import latents_of_seeds, ordered
from ganface.lecture.course import Course
from ganface.lecture.page import Block, Section, Text
from ganface.models.generate import generate, labels_of
from ganface.pictures.grid import drawable, table, to_pil

SEEDS = "0-7"


def conditional(course: Course) -> Section | None:
    """None where there are no labels."""
    attributes = course.pack.attributes
    if not attributes:
        return None
    G = course.network("gan", "G")
    seeds = latents_of_seeds(SEEDS, G)
    blocks = [
        Block(
            Text(
                "Without labels one takes the faces as they come. Here G is told what to draw "
                "beside z, and D what an image shows: it learns to refuse faces that are not real, "
                "and real faces that show something else. Each column below is one z.",
                "没有标签，画出什么就是什么。这里除了 z，还告诉 G 该画什么，也告诉 D 图里有什么："
                "D 学着拒绝不真实的脸，也拒绝真实但与标签不符的脸。下面每一列是同一个 z。",
            )
        )
    ]
    count = course.evaluation.count
    judge, labels = Labelled(course.pack, count, course.device), labels_of(G, range(count))
    assert labels is not None  # G has learned those of the pack
    figures = judge.measure(DrawnImages(G, count), range(count), labels)
    for name in attributes:
        orders = parse_orders(f"{name}={ALL}", attributes)
        faces = generate(G, ordered(seeds, orders, attributes).points)
        cells = [[to_pil(face) for face in row] for row in faces.split(len(seeds))]
        rows = drawable([order.name for order in orders])
        picture = table(cells, rows, [each.name for each in seeds.titles])
        obeyed, floor = figures[f"accuracy_{name}"], judge.floors[f"accuracy_{name}"]
        blocks.append(
            Block(
                Text(f"What “{name}” changes:", f"“{name}” 改变什么："),
                [
                    course.save(
                        f"label-{name.replace('/', '_')}",
                        picture,
                        Text(f"A row for each value of {name}.", f"{name} 的每个取值一行。"),
                        "gan",
                    )
                ],
                Text(
                    f"A classifier that learned from real images finds the ordered {name} in "
                    f"{obeyed:.0%} of faces; in real images that it never saw in {floor:.0%}.",
                    f"用真实图像训练的分类器在 {obeyed:.0%} 的生成人脸中认出了所要的 {name}；在它没"
                    f"见过的真实图像中为 {floor:.0%}。",
                ),
                f"ganface sample {course.run('gan').path} --label '{name}=*'",
            )
        )
    return Section(
        Text("Conditional generation", "条件生成"),
        Text("Can faces be ordered?", "能按要求画脸吗？"),
        blocks,
    )
